// All cells: the matrix, what differs, what only the whole matrix shows, and bars.
import { useEffect, useMemo, useState } from "preact/hooks";
import { Bars } from "./bars.jsx";
import { Scroll, Verdict } from "./parts.jsx";
import { bytes, counted, label, link, read, seconds } from "./words.js";

const STEPS = ["different", "drift", "equal"];
const MEASURED = [
  ["Installed, with shared packages that come along", bytes, (one) => one.with_shared],
  ["Install, from nothing to a clean environment", seconds, (one) => one.install_seconds],
  ["Import", seconds, (one) => one.import_seconds],
  ["Load of modules and all they link", seconds, (one) => one.load_seconds],
  ["The project's benchmark", seconds, (one) => one.benchmark?.seconds],
];
const ORDER = ["error", "drift", "waived", "expected"];

export function Overview({ report }) {
  const [text, setText] = useState(read().search ?? "");
  const [verdict, setVerdict] = useState(STEPS.includes(read().verdict) ? read().verdict : "");
  useEffect(() => { // the address leads back to the search; the history has no entry for each letter
    if (read().cell) return;
    const said = new URLSearchParams(Object.entries({ search: text.trim(), verdict }).filter(([, value]) => value));
    try { // a browser may refuse it for a file
      history.replaceState(null, "", `${location.pathname}${location.search}${String(said) && `#${said}`}`);
    } catch { /* then the address stays as it was */ }
  }, [text, verdict]);
  const haystack = useMemo(() => new Map(report.cells.map((cell) => [cell.cell, words(cell, report.rules)])), [report]);
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  const cells = report.cells.filter(
    (cell) => (!verdict || cell.verdict === verdict) && wanted.every((word) => haystack.get(cell.cell).includes(word)),
  );
  const open = (name) => { location.hash = link(name); };
  const count = (name) => report.cells.filter((cell) => cell.verdict === name).length;
  return (
    <>
      <div class={`verdict-band ${report.verdict}`}>
        <h2><Verdict of={report.verdict} /> {counted(report.cells.length, "cell")}: {STEPS.filter(count).map((name) => `${count(name)} ${name}`).join(", ")}</h2>
        <Glance cells={report.cells} />
      </div>
      {report.missing.length > 0 && <p class="note">Not built: {report.missing.join(", ")}.</p>}
      <form class="filter" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>search <input id="search" type="search" value={text} placeholder="3.12, gcc, DIP834, numpy …" onInput={(event) => setText(event.target.value)} /></label>
        <label>verdict <select id="verdict" value={verdict} onChange={(event) => setVerdict(event.target.value)}>
          <option value="">any</option>
          {STEPS.map((name) => <option key={name} value={name}>{name} ({count(name)})</option>)}
        </select></label>
        <output aria-live="polite">{cells.length} of {report.cells.length} shown</output>
      </form>
      {cells.length ? <Shown cells={cells} report={report} open={open} /> : <p>No cell has all of these words.</p>}
    </>
  );
}

// The whole matrix in four figures.
function Glance({ cells }) {
  const sum = (of) => cells.reduce((total, cell) => total + of(cell), 0);
  const range = (of) => {
    const [least, most] = [Math.min(...cells.map(of)), Math.max(...cells.map(of))];
    return bytes(least) === bytes(most) ? bytes(least) : `${bytes(least)} – ${bytes(most)}`;
  };
  const facts = [
    ["code sections byte-equal", `${sum((cell) => cell.code.equal)} of ${sum((cell) => cell.code.sections)}`],
    ["errors, drift, waived", `${sum((cell) => cell.counts.error)}, ${sum((cell) => cell.counts.drift)}, ${sum((cell) => cell.waived)}`],
    ["wheel download", range((cell) => cell.left.download)],
    ["conda download", range((cell) => cell.right.download)],
  ];
  return <dl class="glance">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

function words(cell, rules) {
  const found = [cell.cell, cell.python, cell.compiler, cell.verdict, cell.left.title, cell.right.title, cell.build?.compiler ?? ""];
  for (const one of cell.findings) found.push(one.code, one.place, one.message, rules[one.code].title);
  for (const one of cell.libraries) found.push(one.stem);
  return found.join("\n").toLowerCase();
}

function Shown({ cells, report, open }) {
  const times = cells.some((cell) => cell.build?.test_seconds != null);
  const costs = cells.some((cell) => cell.cost?.left || cell.cost?.right);
  return (
    <>
      <Matrix cells={cells} />
      <Differences cells={cells} rules={report.rules} />
      {report.across && <Across across={report.across} />}
      <h3>Cost</h3>
      <div class="figures">
        <Bars title="Download" names={["wheel", "conda package"]} format={bytes} open={open}
          rows={cells.map((cell) => ({ name: cell.cell, values: [cell.left.download, cell.right.download] }))} />
        <Bars title="Installed, the package alone" names={["wheel", "conda package"]} format={bytes} open={open}
          rows={cells.map((cell) => ({ name: cell.cell, values: [cell.left.installed, cell.right.installed] }))} />
        {costs && MEASURED.map(([title, format, of]) => (
          <Bars key={title} title={title} names={["wheel", "conda package"]} format={format} open={open}
            rows={cells.map((cell) => ({ name: cell.cell, values: cell.cost ? [of(cell.cost.left), of(cell.cost.right)] : [null, null] }))} />
        ))}
        {times && <Bars title="Tests in source" names={["tests"]} format={seconds} open={open}
          rows={cells.map((cell) => ({ name: cell.cell, values: [cell.build?.test_seconds] }))} />}
      </div>
    </>
  );
}

function Matrix({ cells }) {
  return (
    <Scroll label="Matrix">
      <table class="matrix stack">
        <caption>The matrix</caption>
        <thead>
          <tr><th scope="col">cell</th><th scope="col">verdict</th><th scope="col" class="number">code sections equal</th><th scope="col" class="number">errors</th><th scope="col" class="number">drift</th><th scope="col" class="number">expected</th><th scope="col" class="number">wheel</th><th scope="col" class="number">conda package</th><th scope="col" class="number">copies in wheel</th><th scope="col" class="number">tests</th></tr>
        </thead>
        <tbody>
          {cells.map((cell) => (
            <tr key={cell.cell}>
              <th scope="row"><a href={link(cell.cell)}>{cell.cell}</a></th>
              <td><Verdict of={cell.verdict} /></td>
              <td class="number" data-side="code equal">{cell.code.equal} of {cell.code.sections}</td>
              <td class="number" data-side="errors">{cell.counts.error}</td>
              <td class="number" data-side="drift">{cell.counts.drift}</td>
              <td class="number" data-side="expected">{cell.counts.expected}</td>
              <td class="number" data-side="wheel">{bytes(cell.left.download)}</td>
              <td class="number" data-side="conda">{bytes(cell.right.download)}</td>
              <td class="number" data-side="copies">{cell.left.copies ? bytes(cell.left.copies) : "–"}</td>
              <td class="number" data-side="tests">{cell.build?.tests ?? "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

function Differences({ cells, rules }) {
  const groups = new Map();
  for (const cell of cells) {
    for (const one of cell.findings) {
      if (one.severity === "expected") continue;
      const key = [label(one), one.code, one.place, one.message].join("\n");
      if (!groups.has(key)) groups.set(key, { one, cells: [] });
      groups.get(key).cells.push(cell.cell);
    }
  }
  const rows = [...groups.values()].sort(
    (a, b) => ORDER.indexOf(label(a.one)) - ORDER.indexOf(label(b.one)) || (a.one.code < b.one.code ? -1 : 1),
  );
  if (!rows.length) return <p>Every difference between the packages is expected.</p>;
  return (
    <Scroll label="Differences">
      <table class="stack">
        <caption>What differs and is not expected</caption>
        <thead><tr><th scope="col">severity</th><th scope="col">rule</th><th scope="col">where and what</th><th scope="col">cells</th></tr></thead>
        <tbody>
          {rows.map(({ one, cells: where }, index) => (
            <tr key={index}>
              <td><Verdict of={label(one)} /></td>
              <td><span title={rules[one.code].what}>{one.code}<br /><span class="quiet">{rules[one.code].title}</span></span></td>
              <td>{one.place && <b>{one.place}: </b>}{one.message}{one.waived && <div class="quiet">waived: {one.waived}</div>}</td>
              <td>{where.length === cells.length && where.length > 1 ? "all shown" : where.map((name) => <><a href={link(name)}>{name}</a> </>)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}

const FOLLOWS = { odd: "the odd one out", compiler: "follows the compiler", python: "follows the Python", mixed: "no pattern" };

function Across({ across }) {
  const many = (names) => names.map((name, index) => <>{index ? ", " : ""}<a href={link(name)}>{name}</a></>);
  return (
    <>
      {across.oddities.length > 0 && (
        <Scroll label="Cells that are not alike">
          <table class="stack">
            <caption>Cells that are not alike</caption>
            <thead><tr><th scope="col">what</th><th scope="col">pattern</th><th scope="col">values</th></tr></thead>
            <tbody>
              {across.oddities.map((one) => (
                <tr key={one.trait}>
                  <th scope="row">{one.trait}</th>
                  <td>{FOLLOWS[one.kind]}</td>
                  <td>{one.values.map(([value, names]) => <div key={value}><b>{value}</b>: {many(names)}</div>)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      {across.repeats.length > 0 && (
        <Scroll label="Needless compiles">
          <table class="stack">
            <caption>Compiled to the same code more than once</caption>
            <thead><tr><th scope="col">binary</th><th scope="col">what is equal</th><th scope="col">cells</th></tr></thead>
            <tbody>
              {across.repeats.map((one) => (
                <tr key={one.binary + one.cells}>
                  <th scope="row">{one.binary}</th>
                  <td>{one.whole ? "all code" : ".text only"}</td>
                  <td>{many(one.cells)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      )}
      <Groups groups={across.groups} />
    </>
  );
}

function Groups({ groups }) {
  const names = [...new Set(groups.flatMap((group) => Object.keys(group.medians)))];
  if (!names.length) return null;
  const told = (name, value) => (value == null ? "–" : /\btime\b/.test(name) ? seconds(value) : bytes(Math.round(value)));
  return (
    <Scroll label="Medians by compiler and Python">
      <table class="medians">
        <caption>Medians by compiler and by Python</caption>
        <thead><tr><th scope="col">median of</th>{groups.map((group) => <th key={group.axis + group.name} scope="col" class="number">{group.axis === "python" ? `Python ${group.name}` : group.name}<div class="quiet small">{counted(group.cells, "cell")}</div></th>)}</tr></thead>
        <tbody>
          {names.map((name) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {groups.map((group) => <td key={group.axis + group.name} class="number">{told(name, group.medians[name])}</td>)}
            </tr>
          ))}
        </tbody>
      </table>
    </Scroll>
  );
}
