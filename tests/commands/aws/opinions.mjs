// Asks an IAM simulator by somebody else about the cases of opinions.json again, and says where its answer changed.
//   npm install @cloud-copilot/iam-simulate@0.1.173 && node opinions.mjs opinions.json
// Its licence (AGPL-3.0) and a second language keep it out of what the tests need, so its answers are kept instead.

import { readFileSync } from "node:fs";
import { runSimulation } from "@cloud-copilot/iam-simulate";

const account = "111111111111";
const principal = `arn:aws:iam::${account}:role/service-role/refund`;
const named = (policies) => policies.map((policy, number) => ({ name: `p${number}`, policy }));

for (const [number, { policies, boundary, context, said }] of JSON.parse(readFileSync(process.argv[2])).entries()) {
  const request = {
    action: "xray:PutTraceSegments",
    principal,
    resource: { resource: "*", accountId: account },
    contextVariables: context,
  };
  const simulation = {
    request,
    identityPolicies: named(policies),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(boundary ? { permissionBoundaryPolicies: named([boundary]) } : {}),
  };
  const { overallResult } = await runSimulation(simulation, {});
  if (overallResult !== said) console.log(`case ${number}: ${said} was said before, now ${overallResult}`);
}
