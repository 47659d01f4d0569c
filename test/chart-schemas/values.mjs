// Checks values files, laid over values.yaml beside the schema, against a JSON Schema (draft 7), like helm.
//   node values.mjs [--alone] SCHEMA FILE...     prints a JSON object: {"FILE": ["/replicas must be integer", …], …}
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import Ajv from "ajv";

// With --alone they are not laid over values.yaml, like in an editor.
const alone = process.argv[2] === "--alone";
const [schema, ...files] = process.argv.slice(alone ? 3 : 2);
const ajv = new Ajv({ allErrors: true, strict: true, strictTypes: false, strictRequired: false, allowUnionTypes: true });
const check = ajv.compile(JSON.parse(readFileSync(schema, "utf8")));
const read = (file) => parse(readFileSync(file, "utf8")) ?? {};
const isMapping = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

// Mappings are merged, null removes a key, everything else replaces what was there.
function overlay(values, over) {
  for (const [key, value] of Object.entries(over))
    if (value === null) delete values[key];
    else if (isMapping(value) && isMapping(values[key])) overlay(values[key], value);
    else values[key] = value;
  return values;
}

const faults = {};
for (const file of files) {
  faults[file] = check(overlay(alone ? {} : read(join(dirname(schema), "values.yaml")), read(file)))
    ? []
    : check.errors.map(({ instancePath, message, params }) =>
        `${instancePath || "/"} ${message} ${params.additionalProperty ?? ""}`.trim(),
      );
}
console.log(JSON.stringify(faults));
