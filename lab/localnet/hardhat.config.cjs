// The node that lab/localnet/hardhat.py starts: it mines when it is told to, from the time that the environment says.
module.exports = {
  solidity: "0.8.30",
  networks: {
    hardhat: {
      chainId: 1,
      hardfork: "cancun",
      blockGasLimit: 30_000_000,
      initialDate: new Date(Number(process.env.HARDHAT_TIME) * 1000).toISOString(),
      mining: { auto: false, interval: 0 },
    },
  },
};
