// The node that lab/localnet/hardhat.py starts: it mines when it is told to, from the time that the environment says.
// With HARDHAT_AT_ONCE it mines each transaction at once (lab/sandbox/chain.py).
module.exports = {
  solidity: "0.8.30",
  networks: {
    hardhat: {
      chainId: Number(process.env.HARDHAT_CHAIN || 1),
      hardfork: "cancun",
      blockGasLimit: 30_000_000,
      initialDate: new Date(Number(process.env.HARDHAT_TIME) * 1000).toISOString(),
      mining: { auto: process.env.HARDHAT_AT_ONCE === "1", interval: 0 },
    },
  },
};
