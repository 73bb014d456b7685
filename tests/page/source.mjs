// source.mjs - the page without a browser: types, reproducible build, size, and its words for the protocol.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import ts from "typescript";
import { done, equal, test, truth } from "./tap.mjs";

const FIRST_LOAD_MAX = 60 * 1024;

function run(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: "page", encoding: "utf8" });
  truth(status === 0, `${args.join(" ")}: ${stdout}${stderr}`);
}

await test("the sources have no type errors", () => run("../../node_modules/typescript/bin/tsc", "--noEmit"));

await test("building again gives the committed bytes", () => {
  run("build.mjs", "rebuilt");
  const built = readdirSync("page/rebuilt").sort();
  equal(built.join(), readdirSync("page/dist").sort().join(), "files:");
  for (const name of built) {
    truth(
      readFileSync(`page/rebuilt/${name}`).equals(readFileSync(`page/dist/${name}`)),
      `${name} differs: run "npm run build" in adapters/web/page and commit dist/`,
    );
  }
});

await test("the first load is at most 60 KB gzip", () => {
  let sum = 0;
  for (const name of readdirSync("page/dist")) {
    const size = gzipSync(readFileSync(`page/dist/${name}`), { level: 9 }).length;
    console.log(`# ${name}: ${size} bytes gzip`);
    sum += size;
  }
  truth(sum <= FIRST_LOAD_MAX, `${sum} bytes`);
});

await test("no source turns text into markup or runs strings", () => {
  for (const name of readdirSync("page/src")) {
    const text = readFileSync(`page/src/${name}`, "utf8");
    const bad = /innerHTML|dangerouslySetInnerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/.exec(text);
    truth(bad === null, `${name}: ${bad?.[0]}`);
  }
});

// --- strings -----------------------------------------------------------------------------------

const sources = readdirSync("page/src").filter((name) => /\.tsx?$/.test(name));

await test("no component has words of its own: all that people read is in strings.ts", () => {
  const SPOKEN = new Set(["aria-label", "title", "placeholder", "alt", "label"]);
  const found = [];
  for (const name of sources.filter((n) => n.endsWith("x"))) {
    const file = ts.createSourceFile(name, readFileSync(`page/src/${name}`, "utf8"), ts.ScriptTarget.ES2020, true, ts.ScriptKind.TSX);
    const visit = (node) => {
      const literal = ts.isJsxText(node) || (ts.isStringLiteralLike(node) && (
        (ts.isJsxAttribute(node.parent) && SPOKEN.has(node.parent.name.getText(file))) ||
        (ts.isJsxExpression(node.parent) && !ts.isJsxAttribute(node.parent.parent))));
      if (literal && /\p{L}{2}/u.test(node.text)) {
        found.push(`${name}: ${node.text.trim()}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  equal(found.join("; "), "");
});

await test("each of the catalogue's words is used", () => {
  const text = sources.filter((n) => n !== "strings.ts").map((n) => readFileSync(`page/src/${n}`, "utf8")).join("\n");
  const prefixes = [...text.matchAll(/named\("(\w+)"/g), ...text.matchAll(/kind="(\w+)"/g)].map((m) => m[1]);
  const words = [...readFileSync("page/src/strings.ts", "utf8").matchAll(/^ {2}(\w+): "/gm)].map((m) => m[1]);
  truth(words.length > 100, "few words");
  equal(words.filter((w) => !text.includes(`"${w}"`) && !prefixes.some((p) => w.startsWith(`${p}_`))).join(" "), "");
});

// --- PROTOCOL.md against protocol.ts ------------------------------------------------------------

const protocol = readFileSync("PROTOCOL.md", "utf8");
const types = readFileSync("page/src/protocol.ts", "utf8");

function members(name) {
  const body = new RegExp(`export interface ${name} \\{([^}]*)\\}`).exec(types)?.[1];
  truth(body !== undefined, `no interface ${name}`);
  return [...body.matchAll(/^\s*(\w+)\??:/gm)].map((m) => m[1]).filter((m) => m !== "type").sort();
}

/** Names in backticks in the part about an item: the first column of its table, or the paragraph up to its dot. */
function documented(type) {
  const start = protocol.search(new RegExp(`^\`${type}\`:`, "m"));
  truth(start >= 0, `PROTOCOL.md has no \`${type}\`:`);
  const part = protocol.slice(start + type.length + 3).split(/^(?:`\w+`:|## |### )/m)[0];
  const cells = [...part.matchAll(/^\| (`[^|]*) \|/gm)].map((m) => m[1]).join(" ");
  const text = cells !== "" ? cells : part.replace(/\([^)]*\)/g, "");
  return [...text.matchAll(/`(\w+)`/g)].map((m) => m[1]).filter((m) => m !== "allow").sort();
}

const items = {
  status_update: "StatusUpdate", call: "Call", campaign: "Campaign", pop: "Pop", pbx: "Pbx",
  disposition: "Disposition", dependency: "Dependency", mode: "Mode", alarm: "Alarm",
};
for (const [type, name] of Object.entries(items)) {
  await test(`PROTOCOL.md and the page agree on ${type}`, () =>
    equal(documented(type).join(" "), members(name).join(" ")));
}

/** Members with a list of values: `a b c`, the first behind the name of the member. */
const enums = [
  ["status_update", "state", "AgentState"], ["call", "state", "CallState"],
  ["campaign", "state", "CampaignState"], ["pbx", "state", "PbxState"],
];
for (const [type, member, name] of enums) {
  await test(`PROTOCOL.md and the page agree on the ${member} of ${type}`, () => {
    const part = protocol.slice(protocol.search(new RegExp(`^\`${type}\`:`, "m")));
    const told = new RegExp(`\`${member}\`[^\`]*\`([^\`]*)\``).exec(part)[1].split(" ");
    const union = new RegExp(`export type ${name} =([^;]*);`).exec(types)[1];
    equal([...union.matchAll(/"(\w+)"/g)].map((m) => m[1]).sort().join(" "), told.sort().join(" "));
  });
}

await test("PROTOCOL.md and the page agree on the requests", () => {
  const table = protocol.slice(protocol.indexOf("| `type` | members |"));
  const rows = [...table.matchAll(/^\| `(\w+)` \|[^|]*\| (?:agent|supervisor|all)/gm)].map((m) => m[1]).sort();
  const known = [...types.slice(types.indexOf("export type Request")).matchAll(/\{ type: "(\w+)"/g)]
    .map((m) => m[1]).sort();
  equal(rows.join(" "), known.join(" "));
});

done();
