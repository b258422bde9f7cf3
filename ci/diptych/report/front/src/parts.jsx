// Small parts that both views use.
import { VERDICTS } from "./words.js";

export function Verdict({ of }) {
  const { sign, word } = VERDICTS[of];
  return (
    <span class={`verdict ${of}`}>
      <span aria-hidden="true" class="sign">{sign}</span> {word}
    </span>
  );
}

const LONG = 240; // some licence fields hold the whole text

export function Lines({ of }) {
  if (!of.length) return <span class="quiet">–</span>;
  return of.map((line, index) => (line.length < LONG ? <div key={index}>{line}</div>
    : <details key={index} class="long"><summary>{line.slice(0, LONG / 2)} …</summary>{line}</details>));
}

export function Scroll({ children, label, id }) {
  return (
    <div class="scroll" id={id} role="region" aria-label={label} tabIndex={0}>
      {children}
    </div>
  );
}

// Text of a rule: what stands between backquotes is code.
export function Prose({ of }) {
  return of.split(/`{1,2}([^`]+)`{1,2}/).map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part));
}
