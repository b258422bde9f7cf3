// One cell: its two panels side by side.
import { useLayoutEffect, useState } from "preact/hooks";
import { Cost } from "./cost.jsx";
import { Lines, Prose, Scroll, Verdict } from "./parts.jsx";
import { Picture } from "./picture.jsx";
import { bytes, counted, label, link, read, seconds, titles } from "./words.js";

const PARTS = [["panels", "two panels"], ["differences", "differences"], ["cost", "cost"], ["links", "who links whom"], ["libraries", "libraries"], ["dependencies", "dependencies"], ["binaries", "binaries"], ["files", "files"]];

export function Cell({ cell, rules, order }) {
  const at = order.indexOf(cell.cell);
  const sides = titles(cell);
  useLayoutEffect(() => { // an address may name a part: #cell=3.11-gcc&at=files
    const go = () => document.getElementById(read().at ?? "")?.scrollIntoView();
    go();
    window.addEventListener("hashchange", go);
    return () => window.removeEventListener("hashchange", go);
  }, []);
  const here = PARTS.filter(([id]) => !Array.isArray(cell[id]) || cell[id].length);
  return (
    <>
      {order.length > 0 && (
        <nav aria-label="Cells">
          <a href="#">all cells</a>
          {order[at - 1] && <a rel="prev" href={link(order[at - 1])}>← {order[at - 1]}</a>}
          {order[at + 1] && <a rel="next" href={link(order[at + 1])}>{order[at + 1]} →</a>}
        </nav>
      )}
      <div class={`verdict-band ${cell.verdict}`}>
        <h2><Verdict of={cell.verdict} /> {cell.cell}</h2>
        <p>
          {cell.code.equal} of {counted(cell.code.sections, "code section")} byte-equal in {cell.staged ? "stage, " : ""}{sides.join(" and ")}.
          {!cell.one_build && " Not known to come from one compile."}
          {cell.build?.compiler && ` Compiled by ${cell.build.compiler}.`}
          {cell.build?.tests != null && ` ${counted(cell.build.tests, "test")} in source in ${seconds(cell.build.test_seconds)}.`}
        </p>
      </div>
      {cell.build?.fallback && <p class="note">{cell.build.fallback}</p>}
      <nav class="parts" aria-label="Parts of this page">
        {here.map(([id, name]) => <a key={id} href={link(cell.cell, id)}>{name}</a>)}
      </nav>
      <Panels cell={cell} sides={sides} />
      <Findings cell={cell} rules={rules} />
      <Cost cell={cell} sides={sides} />
      <section id="links" aria-label="Who links whom">
        <h3>Who links whom</h3>
        <div class="figures">
          <Picture id="left" title={sides[0]} graph={cell.graph.left} />
          <Picture id="right" title={sides[1]} graph={cell.graph.right} />
        </div>
      </section>
      <Libraries cell={cell} sides={sides} />
      <Dependencies cell={cell} sides={sides} />
      <Binaries cell={cell} sides={sides} />
      <Files cell={cell} sides={sides} rules={rules} />
    </>
  );
}

function Panels({ cell, sides }) {
  const { left, right } = cell;
  const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);
  const oldest = (panel) => [
    ...Object.entries(panel.oldest).map(([name, version]) => `needs ${name} ${version}`),
    panel.stated ? `states ${panel.stated}` : panel.kind === "folder" ? "" : "states no bound",
  ].filter(Boolean);
  const rows = [
    ["file", (p) => [p.title]],
    ["name, version", (p) => [`${p.name} ${p.version}`]],
    ["platform", (p) => [p.platform || "–"]],
    ["Python", (p) => [p.python || "–", ...(p.requires_python ? [p.requires_python] : [])]],
    ["brings", (p) => p.bundled.map((name) => name.replace("$PREFIX/lib/", ""))],
    ["depends on", (p) => p.depends],
    ["oldest system", oldest],
    ["licence", (p) => [p.licence || "–"]],
    ["summary", (p) => [p.summary || "–"]],
    ["URLs", (p) => Object.entries(p.urls).map(([name, url]) => `${name}: ${url.replace(/\/$/, "")}`)],
    ["entry points", (p) => Object.entries(p.entry_points).map(([name, target]) => `${name} = ${target}`)],
  ];
  return (
    <Scroll label="The two panels" id="panels">
      <table class="panels diptych">
        <caption>The two panels</caption>
        <Heads sides={sides} first="" />
        <tbody>
          {rows.map(([name, values]) => {
            const [a, b] = [values(left), values(right)];
            if (!a.length && !b.length) return null;
            return (
              same(a, b) ? (
                <tr key={name} class="same"><th scope="row">{name}</th><td colSpan={2} data-side="both"><Lines of={a} /></td></tr>
              ) : (
                <tr key={name} class="unlike">
                  <th scope="row">{name}</th>
                  <td data-side={sides[0]}><Lines of={a} /></td>
                  <td data-side={sides[1]}><Lines of={b} /></td>
                </tr>
              )
            );
          })}
        </tbody>
      </table>
    </Scroll>
  );
}

function Findings({ cell, rules }) {
  const expected = cell.findings.filter((one) => label(one) === "expected");
  const others = cell.findings.filter((one) => label(one) !== "expected");
  return (
    <section id="differences" aria-label="Differences">
      <h3>Differences, each with its reason</h3>
      {!others.length && <p>Every difference is one that the two formats bring along.</p>}
      <ul class="findings">{others.map((one, index) => <Finding key={index} one={one} rule={rules[one.code]} />)}</ul>
      {expected.length > 0 && (
        <details class="more">
          <summary>{expected.length} expected, as the two formats are made that way</summary>
          <ul class="findings">{expected.map((one, index) => <Finding key={index} one={one} rule={rules[one.code]} />)}</ul>
        </details>
      )}
    </section>
  );
}

function Finding({ one, rule }) {
  return (
    <li>
      <details class={label(one)} open={one.severity === "error" && !one.waived}>
        <summary>
          <Verdict of={label(one)} /> <span class="code">{one.code}</span> {one.place && <b>{one.place}: </b>}{one.message}
        </summary>
        <div class="why">
          <p><b>{rule.title}.</b> <Prose of={rule.what} /></p>
          <p><b>Why {one.severity}:</b> <Prose of={one.reason} /></p>
          {one.waived && <p><b>Waived:</b> {one.waived}</p>}
          {one.evidence.length > 0 && <ul class="mono">{one.evidence.map((line) => <li key={line}>{line}</li>)}</ul>}
          <p><b>To mend:</b> <Prose of={rule.mend} /></p>
          {rule.page && <p><a href={rule.page}>{one.code} in the documentation</a></p>}
        </div>
      </details>
    </li>
  );
}

function Heads({ sides, first, last }) {
  return (
    <thead><tr>
      {first ? <th scope="col">{first}</th> : <td></td>}
      <th scope="col" class="of0">{sides[0]}</th><th scope="col" class="of1">{sides[1]}</th>
      {last && <th scope="col">{last}</th>}
    </tr></thead>
  );
}

function Libraries({ cell, sides }) {
  if (!cell.libraries.length) return null;
  const told = (one) => {
    if (!one) return <span class="quiet">not there</span>;
    const how = { grafted: "private copy", own: "in the package", dependency: "dependency", system: "the system's, as the tag's policy says", unknown: "comes from nowhere" }[one.how];
    return (
      <>
        <div class="mono">{one.name}</div>
        <div>{how}{one.package && `: ${one.package} ${one.version}`}{one.range && ` (${one.range})`}{one.size ? `, ${bytes(one.size)}` : ""}</div>
        {one.file && one.file !== one.name && <div class="quiet mono">{one.file}</div>}
      </>
    );
  };
  return (
    <Scroll label="Libraries" id="libraries">
      <table class="panels">
        <caption>Libraries, and where each side gets them</caption>
        <Heads sides={sides} first="library" />
        <tbody>
          {cell.libraries.map((row) => (
            <tr key={row.stem}>
              <th scope="row">{row.stem}{row.disagreement && <div><Verdict of="error" /> {row.disagreement}</div>}</th>
              <td data-side={sides[0]}>{told(row.left)}</td>
              <td data-side={sides[1]}>{told(row.right)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Dependencies({ cell, sides }) {
  if (!cell.dependencies.length) return null;
  const library = (row) => cell.libraries.some((one) => [one.left, one.right].some((side) => side?.how === "dependency" && side.package === (row.left ?? row.right).name));
  const told = (need) => (need ? <span class="mono"><Lines of={need.texts} /></span> : <span class="quiet">–</span>);
  return (
    <Scroll label="Dependencies" id="dependencies">
      <table class="panels">
        <caption>Dependencies, under PyPI's names</caption>
        <Heads sides={sides} first="project" last="ranges" />
        <tbody>
          {cell.dependencies.map((row) => (
            <tr key={row.project}>
              <th scope="row">{row.project}</th>
              <td data-side={sides[0]}>{told(row.left)}</td>
              <td data-side={sides[1]}>{told(row.right)}</td>
              <td data-side="ranges">{row.relation ?? (row.runtime || (library(row) ? "brings a library: see above" : "on one side"))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Binaries({ cell, sides }) {
  if (!cell.binaries.length) return null;
  return (
    <section id="binaries" aria-label="Binaries">
      <h3>Binaries</h3>
      {cell.binaries.map((pair) => (
        <details key={pair.place} class="binary">
          <summary><span class="mono">{pair.place}</span>: {pair.code.every((row) => row.equal) ? "same code" : "code differs"}, {pair.code.length} sections, {pair.symbols.exported.left} exported and {pair.symbols.needed.left} needed symbols</summary>
          <Scroll label={pair.place}>
            <table class="panels">
              <Heads sides={sides} first="" />
              <tbody>{binaryRows(pair).map(([name, a, b]) => (
                <tr key={name} class={String(a) === String(b) ? "same" : "unlike"}>
                  <th scope="row">{name}</th><td data-side={sides[0]} class="mono"><Lines of={a} /></td><td data-side={sides[1]} class="mono"><Lines of={b} /></td>
                </tr>
              ))}</tbody>
            </table>
            {pair.code.length > 0 && (
              <table class="stack">
                <caption>Code sections, SHA-256</caption>
                <thead><tr><th scope="col">section</th><th scope="col">equal</th><th scope="col">hash, or {sides.join(" | ")}{cell.staged ? " | stage" : ""}</th></tr></thead>
                <tbody>{pair.code.map((row) => (
                  <tr key={row.section}><th scope="row" class="mono">{row.section}</th><td data-side="equal">{row.equal ? "yes" : <b>no</b>}</td><td class="mono">{row.hashes.map((hash) => hash ?? "not there").join(" | ")}</td></tr>
                ))}</tbody>
              </table>
            )}
          </Scroll>
        </details>
      ))}
    </section>
  );
}

function binaryRows(pair) {
  const { left, right, symbols } = pair;
  const flags = (one) => Object.entries(one.hardening).map(([name, value]) => `${name.replaceAll("_", " ")}: ${Array.isArray(value) ? value.join(", ") || "none" : { true: "yes", false: "no" }[value] ?? value}`);
  const alone = (names) => [...names, ...(names.length && symbols.exported.cut ? ["…"] : [])];
  return [
    ["needed", left.needed, right.needed],
    ["run path", left.rpath.length ? [`${left.rpath_kind}`, ...left.rpath] : [], right.rpath.length ? [`${right.rpath_kind}`, ...right.rpath] : []],
    ["SONAME", left.soname ? [left.soname] : [], right.soname ? [right.soname] : []],
    ["oldest", Object.entries(left.floors).map((pair_) => pair_.join(" ")), Object.entries(right.floors).map((pair_) => pair_.join(" "))],
    ["compilers", left.compilers, right.compilers],
    ["hardening", flags(left), flags(right)],
    ["debug information", [left.debug ? "yes" : "no"], [right.debug ? "yes" : "no"]],
    ["size", [bytes(left.size)], [bytes(right.size)]],
    ["exported only here", alone(symbols.exported.only_left), alone(symbols.exported.only_right)],
    ["needed only here", alone(symbols.needed.only_left), alone(symbols.needed.only_right)],
  ].filter(([, a, b]) => a.length || b.length);
}

function Files({ cell, sides, rules }) {
  const [state, setState] = useState("");
  const states = [...new Set(cell.files.map((file) => file.state))];
  const files = cell.files.filter((file) => !state || file.state === state);
  const name = (text) => ({ "only left": `only in the ${sides[0]}`, "only right": `only in the ${sides[1]}` })[text] ?? text;
  return (
    <section id="files" aria-label="Files">
      <h3>Files</h3>
      <form class="filter" onSubmit={(event) => event.preventDefault()}>
        <label>state <select value={state} onChange={(event) => setState(event.target.value)}>
          <option value="">any ({cell.files.length})</option>
          {states.map((one) => <option key={one} value={one}>{name(one)} ({cell.files.filter((file) => file.state === one).length})</option>)}
        </select></label>
      </form>
      <Scroll label="List of files">
        <table class="stack">
          <thead><tr><th scope="col">place</th><th scope="col">kind</th><th scope="col">state</th><th scope="col">explained by</th><th scope="col" class="number">{sides[0]}</th><th scope="col" class="number">{sides[1]}</th></tr></thead>
          <tbody>
            {files.map((file) => (
              <tr key={file.place}>
                <th scope="row" class="mono">{file.place}</th>
                <td data-side="kind">{file.role}</td>
                <td data-side="state">{name(file.state)}</td>
                <td data-side="explained by">{file.rule ? <span title={rules[file.rule]?.why}>{file.rule} {rules[file.rule]?.title}</span> : "–"}</td>
                <td class="number" data-side={sides[0]}>{file.left == null ? "–" : bytes(file.left)}</td>
                <td class="number" data-side={sides[1]}>{file.right == null ? "–" : bytes(file.right)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </section>
  );
}
