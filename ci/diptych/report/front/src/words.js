// What values look like to a person.

export const VERDICTS = {
  equal: { sign: "=", word: "equal" },
  drift: { sign: "≈", word: "drift" },
  different: { sign: "≠", word: "different" },
  error: { sign: "≠", word: "error" },
  expected: { sign: "·", word: "expected" },
  waived: { sign: "○", word: "waived" },
};

export const KINDS = { wheel: "wheel", conda: "conda package", folder: "folder" };

export function bytes(count) {
  let size = count;
  for (const unit of ["B", "kB", "MB"]) {
    if (size < 1000) return unit === "B" ? `${size} B` : `${size.toFixed(1)} ${unit}`;
    size /= 1000;
  }
  return `${size.toFixed(1)} GB`;
}

export function seconds(value) {
  if (value == null) return "–";
  if (value === 0) return "0 s";
  if (value < 1) return `${value < 0.01 ? (value * 1000).toFixed(2) : Math.round(value * 1000)} ms`;
  return `${value < 10 ? value.toFixed(2) : value.toFixed(1)} s`;
}

export const plain = (value) => (value == null ? "–" : String(Number(value.toPrecision(4))));

export const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

// What an address says after "#": a cell and a part of its view, or a search.
export const read = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
export const link = (cell, at) => `#${new URLSearchParams(at ? { cell, at } : { cell })}`;

export function titles(cell) {
  const left = KINDS[cell.left.kind];
  const right = KINDS[cell.right.kind];
  return left === right ? [`first ${left}`, `second ${right}`] : [left, right];
}

export const label = (finding) => (finding.waived ? "waived" : finding.severity);
