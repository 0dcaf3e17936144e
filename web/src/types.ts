import type { ContractFunctionReturnType } from "viem";
import type { fundLens } from "./abi.js";

/** What a view of the lens answers. */
export type AbiFunctionReturn<Name extends "fund" | "constituents"> = ContractFunctionReturnType<
  typeof fundLens,
  "view",
  Name
>;
