// Bars of sizes and times: one row a cell, two bars a row.
import { scaleLinear } from "d3-scale";

const LABEL = 104;
const ROW = 34;
const VALUE = 80;

export function Bars({ title, rows: all, names, format, open }) {
  const rows = all.filter((row) => row.values.some((value) => value != null)); // what was not measured has no row
  const most = Math.max(...rows.flatMap((row) => row.values.map((value) => value ?? 0)), 0);
  if (!most) return null;
  const WIDTH = window.innerWidth < 640 ? 340 : 640; // one unit is about one pixel
  const x = scaleLinear([0, most], [0, WIDTH - LABEL - VALUE]).nice(4);
  const height = rows.length * ROW + 26;
  return (
    <figure class="bars">
      <figcaption>{title}</figcaption>
      {names.length > 1 && (
        <p class="legend">
          {names.map((name, index) => (
            <span key={name}>
              <svg width="14" height="10" aria-hidden="true"><rect class={`bar side${index}`} width="14" height="10" /></svg> {name}, {index ? "lower" : "upper"} bar
            </span>
          ))}
        </p>
      )}
      <svg viewBox={`0 0 ${WIDTH} ${height}`} role="img" aria-label={spoken(title, rows, names, format)}>
        {x.ticks(WIDTH > 400 ? 4 : 2).map((tick) => (
          <g key={tick} transform={`translate(${LABEL + x(tick)},0)`}>
            <line class="tick" y1="0" y2={height - 22} />
            <text class="axis" y={height - 6} text-anchor="middle">{format(tick)}</text>
          </g>
        ))}
        {rows.map((row, index) => (
          <g key={row.name} transform={`translate(0,${index * ROW + 2})`} class={open ? "opens" : ""} onClick={open ? () => open(row.name) : undefined}>
            <text x={LABEL - 8} y="19" text-anchor="end" class="name">{row.name}</text>
            {row.values.map((value, side) =>
              value == null ? null : (
                <g key={side} transform={`translate(${LABEL},${row.values.length > 1 ? side * 14 : 5})`}>
                  <rect class={`bar side${side}`} width={Math.max(x(value), 1)} height={row.values.length > 1 ? 12 : 16} />
                  <text class="value" x={x(value) + 5} y={row.values.length > 1 ? 10 : 12}>{format(value)}</text>
                </g>
              ),
            )}
          </g>
        ))}
      </svg>
    </figure>
  );
}

function spoken(title, rows, names, format) {
  const told = rows.map((row) => `${row.name}: ${row.values.map((value, side) => (value == null ? "" : `${names[side] ?? ""} ${format(value)}`)).join(", ")}`);
  return `${title}. ${told.join("; ")}`;
}
