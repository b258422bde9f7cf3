// The page: which view is open is in the address (#cell=ID), so that a link leads back to it.
import { render } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { Overview } from "./overview.jsx";
import { Cell } from "./cell.jsx";
import { link, read } from "./words.js";

const document_ = JSON.parse(document.getElementById("document").textContent);
const THEMES = ["auto", "light", "dark"];

const opened = () => read().cell ?? null;

function stored() {
  try {
    return localStorage.getItem("diptych-theme") ?? "auto";
  } catch {
    return "auto"; // a page from a file may have no storage
  }
}

function Page({ report }) {
  const single = report.cells.length === 1;
  const [cell, setCell] = useState(opened());
  const [theme, setTheme] = useState(stored());
  const main = useRef(null);
  const shown = single ? report.cells[0] : report.cells.find((one) => one.cell === cell);
  const order = useMemo(() => report.cells.map((one) => one.cell), [report]);

  useLayoutEffect(() => {
    const follow = () => {
      setCell(opened());
      if (read().at) return; // the cell's view goes to that part itself
      window.scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    };
    window.addEventListener("hashchange", follow);
    return () => window.removeEventListener("hashchange", follow);
  }, []);
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem("diptych-theme", theme);
    } catch { /* as above */ }
  }, [theme]);
  useEffect(() => {
    document.title = `${shown ? `${shown.cell} · ` : ""}${report.project || "diptych compare"}`;
  }, [shown]);
  useLayoutEffect(() => { // before the next key can come
    const keys = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape" && cell && !single) location.hash = "";
      if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
      if (event.key === "/" && !shown) {
        document.getElementById("search")?.focus();
        event.preventDefault();
      }
      const step = { n: 1, p: -1 }[event.key];
      if (step && shown && !single) {
        const next = order[order.indexOf(shown.cell) + step];
        if (next) location.hash = link(next);
      }
    };
    window.addEventListener("keydown", keys);
    return () => window.removeEventListener("keydown", keys);
  }, [cell, shown]);

  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current.focus(); }}>to the content</a>
      <header>
        <Leaves />
        <h1>{!single && shown ? <a href="#">{report.project || "diptych compare"}</a> : report.project || "diptych compare"}</h1>
        <p class="quiet">wheel and conda package, side by side</p>
        <label class="theme">
          colours{" "}
          <select value={theme} onChange={(event) => setTheme(event.target.value)}>
            {THEMES.map((one) => <option key={one}>{one}</option>)}
          </select>
        </label>
      </header>
      <main ref={main} id="main" tabIndex={-1}>
        {cell && !shown && <p role="alert">There is no cell “{cell}” in this report. <a href="#">All cells</a></p>}
        {shown
          ? <Cell key={shown.cell} cell={shown} rules={report.rules} order={single ? [] : order} />
          : <Overview report={report} />}
      </main>
      <footer class="quiet">
        {!single && <p>Keys: <kbd>/</kbd> search, <kbd>n</kbd> <kbd>p</kbd> next and previous cell, <kbd>Esc</kbd> back.</p>}
        <p>Made by diptych {report.diptych}. Licences of the parts of this page stand at its end, in its source.</p>
      </footer>
    </>
  );
}

// On paper nothing can be unfolded: what is folded is opened for it, and folded again afterwards.
let folded = [];
window.addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  for (const one of folded) one.open = true;
});
window.addEventListener("afterprint", () => {
  for (const one of folded) one.open = false;
});

// The mark of the project: two leaves.
function Leaves() {
  return (
    <svg class="leaves" viewBox="0 0 16 16" width="22" height="22" aria-hidden="true">
      <path class="side0" d="M1 2h6v12H1z" />
      <path class="side1" d="M9 2h6v12H9z" />
    </svg>
  );
}

render(<Page report={document_} />, document.getElementById("page"));
