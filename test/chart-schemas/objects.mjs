// Checks files of Kubernetes objects: validators check the values of fields, the TypeScript compiler finds unknown fields.
//   node objects.mjs FILE...     prints a JSON list of faults: [{"file", "object", "message"}]
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import ts from "typescript";

const packages = [
  [/(^|\.)cert-manager\.io\//, "@kubernetes-models/cert-manager"],
  [/^monitoring\.coreos\.com\//, "@kubernetes-models/prometheus-operator"],
  [/^argoproj\.io\//, "@kubernetes-models/argo-cd"],
  [/\.toolkit\.fluxcd\.io\//, "@kubernetes-models/flux-cd"],
  [/./, "kubernetes-models"],
];

const faults = [];
const objects = [];
for (const file of process.argv.slice(2)) {
  for (const document of parseAllDocuments(readFileSync(file, "utf8"))) {
    const object = document.toJS();
    const name = `${object?.kind} ${object?.metadata?.name}`;
    const report = (message) => faults.push({ file, object: name, message });
    document.errors.concat(document.warnings).forEach((error) => report(error.message));
    if (!object) continue;
    const path = `${packages.find(([group]) => group.test(object.apiVersion))[1]}/${object.apiVersion}`;
    const models = await import(path).catch(() => ({}));
    if (!models[object.kind]) {
      report(`${object.apiVersion} has no ${object.kind}`);
      continue;
    }
    try {
      new models[object.kind](object).validate();
    } catch (error) {
      report(error.message);
    }
    objects.push({ object, path, report });
  }
}

// One line per object: an object literal must not have properties that its type does not have.
const program = "objects.ts";
const source = objects.map(({ object, path }, i) => {
  const importOfType = `import type { I${object.kind} as T${i} } from "${path}";`;
  return `${importOfType} export const o${i}: T${i} = ${JSON.stringify(object)};`;
});
const options = {
  noEmit: true,
  strict: true,
  skipLibCheck: true,
  types: [],
  target: ts.ScriptTarget.ESNext,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
};
const host = ts.createCompilerHost(options);
const { getSourceFile, fileExists } = host;
host.getCurrentDirectory = () => import.meta.dirname ?? new URL(".", import.meta.url).pathname;
host.fileExists = (name) => name.endsWith(program) || fileExists(name);
host.getSourceFile = (name, ...rest) =>
  name.endsWith(program) ? ts.createSourceFile(name, source.join("\n"), ts.ScriptTarget.ESNext) : getSourceFile(name, ...rest);
const compilation = ts.createProgram([`${host.getCurrentDirectory()}/${program}`], options, host);
for (const diagnostic of ts.getPreEmitDiagnostics(compilation)) {
  const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, " ");
  if (!diagnostic.file?.fileName.endsWith(program)) throw new Error(`${diagnostic.file?.fileName ?? ""} ${message}`);
  objects[diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start).line].report(message);
}
console.log(JSON.stringify(faults));
