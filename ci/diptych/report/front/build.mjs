// `node build.mjs` bundles src/ and style.css into ../page.html, with the licence texts of what goes in.
// The parts come from npm as package-lock.json says, into .diptych/front of the checkout.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createRequire } from "node:module";

const here = dirname(fileURLToPath(import.meta.url));
const fetched = join(here, "..", "..", "..", "..", ".diptych", "front");
const modules = join(fetched, "node_modules");
const lock = (folder) => join(folder, "package-lock.json");
if (!existsSync(lock(fetched)) || readFileSync(lock(fetched), "utf8") !== readFileSync(lock(here), "utf8") || !existsSync(modules)) {
  mkdirSync(fetched, { recursive: true });
  for (const name of ["package.json", "package-lock.json"]) copyFileSync(join(here, name), join(fetched, name));
  execFileSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: fetched, stdio: "inherit" });
}
const esbuild = createRequire(pathToFileURL(join(modules, "x.js")))("esbuild");

const built = await esbuild.build({
  absWorkingDir: here,
  entryPoints: ["src/main.jsx"],
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  format: "iife",
  target: "es2020",
  legalComments: "none",
  jsx: "automatic",
  jsxImportSource: "preact",
  nodePaths: [modules],
});
const style = await esbuild.transform(readFileSync(join(here, "style.css"), "utf8"), { loader: "css", minify: true });

const parts = new Set();
for (const input of Object.keys(built.metafile.inputs)) {
  const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (found) parts.add(found[1]);
}
if (parts.has("@dagrejs/dagre")) parts.add("@dagrejs/graphlib"); // in dagre's own bundle
const licences = [...parts].sort().map((name) => {
  const folder = join(modules, name);
  const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} has no licence text`);
  const text = readFileSync(join(folder, file), "utf8").trim();
  return `${name} ${about.version} (${about.license})\n\n${text}`;
});
const notice = licences.join(`\n\n${"-".repeat(78)}\n\n`);
writeFileSync(join(here, "..", "page-licences.txt"), `${notice}\n`);

const script = built.outputFiles[0].text.trim().replaceAll("</script", "<\\/script");
const page = readFileSync(join(here, "shell.html"), "utf8")
  .replace("/*style*/", () => style.code.trim())
  .replace("<!--licences-->", () => `<!--\nThis page contains:\n\n${notice.replaceAll("--", "- -")}\n-->`)
  .replace("/*script*/", () => script);
writeFileSync(join(here, "..", "page.html"), page);
console.log(`page.html: ${page.length} characters, with ${[...parts].sort().join(", ")}`);
