/** Permits by signature (ERC-2612): which tokens take them, what a wallet signs, and what comes of it. */

import {
  type Address,
  domainSeparator,
  getTypesForEIP712Domain,
  type Hex,
  keccak256,
  parseAbi,
  toHex,
  type TypedDataDomain,
} from "viem";
import { readContract } from "viem/actions";
import type { Reader } from "./reader.js";

export interface Permit {
  deadline: bigint;
  v: number;
  r: Hex;
  s: Hex;
}

const tokenAbi = parseAbi([
  "function name() view returns (string)",
  "function version() view returns (string)",
  "function nonces(address owner) view returns (uint256)",
  "function DOMAIN_SEPARATOR() view returns (bytes32)",
  "function PERMIT_TYPEHASH() view returns (bytes32)",
  "function eip712Domain() view returns (bytes1 fields, string name, string version, uint256 chainId, address verifyingContract, bytes32 salt, uint256[] extensions)",
]);
const PERMIT_TYPE = keccak256(
  toHex("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
);

/** What a token says of its permits; null where it does not answer. */
export interface Said {
  separator: Hex | null;
  type: Hex | null;
  name: string | null;
  version: string | null;
  domain: {
    fields: Hex;
    name: string;
    version: string;
    chainId: bigint;
    verifyingContract: Address;
    salt: Hex;
    extensions: readonly bigint[];
  } | null;
}

/** The domain under which a token takes permits; null where it takes none, or says things that do not fit together. What
 * it calls itself counts only where that makes the separator that it checks signatures against. */
export function domainOf(said: Said, token: Address, chainId: number): TypedDataDomain | null {
  // Another type, as DAI's, is signed otherwise.
  if (said.separator === null || (said.type !== null && said.type !== PERMIT_TYPE)) return null;
  const domains: TypedDataDomain[] = [];
  const { domain } = said;
  if (domain && domain.extensions.length === 0) {
    const has = (bit: number) => (Number(domain.fields) >> bit) & 1;
    domains.push({
      ...(has(0) ? { name: domain.name } : {}),
      ...(has(1) ? { version: domain.version } : {}),
      ...(has(2) ? { chainId: Number(domain.chainId) } : {}),
      ...(has(3) ? { verifyingContract: domain.verifyingContract } : {}),
      ...(has(4) ? { salt: domain.salt } : {}),
    });
  }
  if (said.name !== null) {
    const rest = { chainId, verifyingContract: token };
    domains.push({ name: said.name, version: said.version ?? "1", ...rest }, { name: said.name, ...rest });
  }
  const fits = (d: TypedDataDomain) =>
    d.chainId === chainId &&
    d.verifyingContract?.toLowerCase() === token.toLowerCase() &&
    domainSeparator({ domain: d }) === said.separator;
  return domains.find(fits) ?? null;
}

const found = new Map<string, TypedDataDomain>();

/** Asks a token, see `domainOf`; what it once said stands. */
export async function readDomain(client: Reader, token: Address): Promise<TypedDataDomain | null> {
  const key = `${client.chain.id}/${token}`;
  const domain = found.get(key) ?? (await askDomain(client, token));
  if (domain) found.set(key, domain);
  return domain;
}

async function askDomain(client: Reader, token: Address): Promise<TypedDataDomain | null> {
  const ask = { address: token, abi: tokenAbi } as const;
  const none = () => null;
  const separator = await readContract(client, { ...ask, functionName: "DOMAIN_SEPARATOR" }).catch(none);
  if (separator === null) return null;
  const [type, name, version, told] = await Promise.all([
    readContract(client, { ...ask, functionName: "PERMIT_TYPEHASH" }).catch(none),
    readContract(client, { ...ask, functionName: "name" }).catch(none),
    readContract(client, { ...ask, functionName: "version" }).catch(none),
    readContract(client, { ...ask, functionName: "eip712Domain" }).catch(none),
  ]);
  const domain = told && {
    fields: told[0],
    name: told[1],
    version: told[2],
    chainId: told[3],
    verifyingContract: told[4],
    salt: told[5],
    extensions: told[6],
  };
  return domainOf({ separator, type, name, version, domain }, token, client.chain.id);
}

export interface Question {
  owner: Address;
  spender: Address;
  value: bigint;
  deadline: bigint;
}

/** What a wallet signs to let the spender take so much of a token. */
export async function permitQuestion(client: Reader, token: Address, domain: TypedDataDomain, asked: Question) {
  const nonce = await readContract(client, {
    address: token,
    abi: tokenAbi,
    functionName: "nonces",
    args: [asked.owner],
  });
  const field = (name: string, type: string) => ({ name, type });
  return {
    types: {
      EIP712Domain: getTypesForEIP712Domain({ domain }),
      Permit: [
        field("owner", "address"),
        field("spender", "address"),
        field("value", "uint256"),
        field("nonce", "uint256"),
        field("deadline", "uint256"),
      ],
    },
    primaryType: "Permit",
    domain,
    message: {
      owner: asked.owner,
      spender: asked.spender,
      value: String(asked.value),
      nonce: String(nonce),
      deadline: String(asked.deadline),
    },
  };
}

/** A signature of 65 bytes as a permit; null where it is none, as of a contract's wallet. */
export function permitOf(signature: Hex, deadline: bigint): Permit | null {
  if (!/^0x[0-9a-f]{130}$/i.test(signature)) return null;
  const last = parseInt(signature.slice(130), 16);
  return {
    deadline,
    r: signature.slice(0, 66) as Hex,
    s: `0x${signature.slice(66, 130)}`,
    v: last < 27 ? last + 27 : last,
  };
}
