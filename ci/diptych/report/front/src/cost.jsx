// What each side costs: a row a figure, both values and how they compare, each pair of bars to its own scale.
import { Scroll } from "./parts.jsx";
import { bytes, counted, plain, seconds } from "./words.js";

export function Cost({ cell, sides }) {
  const groups = figures(cell);
  return (
    <section id="cost" aria-label="Cost">
      <h3>Cost</h3>
      <Scroll label="Figures of both">
        <table class="panels costs">
          <thead><tr><th scope="col">figure</th><th scope="col" class="of0">{sides[0]}</th><th scope="col" class="of1">{sides[1]}</th><th scope="col" class="times">ratio</th></tr></thead>
          {groups.map(([title, rows]) => (
            <tbody key={title}>
              <tr class="group"><th scope="rowgroup" colSpan={4}>{title}</th></tr>
              {rows.map((row) => <Figure key={row.name} row={row} sides={sides} />)}
            </tbody>
          ))}
        </table>
      </Scroll>
      {cell.cost ? <CameAlong cost={cell.cost} sides={sides} />
        : <p class="quiet">Times and shared packages are measured in clean environments by <code>diptych compare --measure</code>.</p>}
    </section>
  );
}

function Figure({ row, sides }) {
  const most = Math.max(...row.values.map((value) => value ?? 0));
  return (
    <tr>
      <th scope="row">{row.name}{row.note && <div class="quiet small">{row.note}</div>}</th>
      {row.values.map((value, side) => (
        <td key={side} data-side={sides[side]}>
          <span class="amount">{value == null ? "–" : row.format(value)}</span>
          {value > 0 && <span class={`meter of${side}`} style={`width:${Math.max((100 * value) / most, 0.5)}%`} aria-hidden="true" />}
        </td>
      ))}
      <td class="times" data-side="ratio">{ratio(row.values)}</td>
    </tr>
  );
}

function ratio([left, right]) {
  if (!left || !right) return "–";
  const times = left / right;
  const told = Number(times.toPrecision(times < 10 ? 2 : 3));
  return told === 1 ? "≈ 1" : `${told} : 1`;
}

function figures(cell) {
  const { left, right, cost } = cell;
  const of = (name, read, format = bytes, note = "") => ({ name, values: [read(left), read(right)], format, note });
  const timed = (name, read, format = seconds, note = "") => ({ name, values: [read(cost.left), read(cost.right)], format, note });
  const sizes = [
    of("download", (p) => p.download),
    of("installed", (p) => p.installed, bytes, "the package alone"),
    of("of it private copies", (p) => p.copies),
    ...(cost ? [timed("with shared packages", (one) => one.with_shared, bytes, "and all that comes along, without Python")] : []),
    of("files", (p) => p.files, String),
    of("libraries and modules", (p) => p.libraries, String),
  ];
  if (!cost) return [["Size", sizes]];
  const loaded = cost.left.loaded === cost.right.loaded && cost.left.loaded != null ? `dlopen of ${counted(cost.left.loaded, "file")}` : "dlopen of modules and all they link";
  const times = [
    timed("install", (one) => one.install_seconds, seconds, "from nothing, downloads at hand"),
    timed("import", (one) => one.import_seconds),
    timed("load", (one) => one.load_seconds, seconds, loaded),
  ];
  const groups = [["Size", sizes], ["Time in a clean environment, the least of several", times]];
  if (cost.command) {
    const names = [...new Set([cost.left, cost.right].flatMap((one) => Object.keys(one.benchmark?.numbers ?? {})))];
    groups.push([
      <>The project's benchmark: <code>{cost.command}</code></>,
      [
        timed("whole run", (one) => one.benchmark?.seconds),
        ...names.map((name) => timed(name, (one) => one.benchmark?.numbers[name], plain)),
      ],
    ]);
  }
  return groups;
}

function CameAlong({ cost, sides }) {
  return (
    <details>
      <summary>Shared packages that come along</summary>
      <div class="pair">
        {[cost.left, cost.right].map((one, side) => (
          <div key={side}>
            <h4>{sides[side]}</h4>
            <ul>{one.shared.map((shared) => <li key={shared.name}>{shared.name} {shared.version}: {bytes(shared.size)}</li>)}{!one.shared.length && <li>none</li>}</ul>
          </div>
        ))}
      </div>
    </details>
  );
}
