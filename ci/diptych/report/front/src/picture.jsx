// Who links whom: laid out by dagre, drawn as SVG, and told as a list for those who cannot see it.
import dagre from "@dagrejs/dagre";
import { line, curveBasis } from "d3-shape";
import { bytes } from "./words.js";

const KIND = { own: "own", grafted: "copy", package: "from", system: "system", unknown: "unknown" };
const path = line((point) => point.x, (point) => point.y).curve(curveBasis);

// Top to bottom, or left to right where many libraries beside each other would be wider.
function placed(graph) {
  const [down, across] = ["TB", "LR"].map((direction) => laid(graph, direction));
  return extent(down).width <= Math.max(620, extent(across).width) ? down : across;
}

function laid(graph, rankdir) {
  const found = new dagre.graphlib.Graph();
  found.setGraph({ rankdir, nodesep: 14, ranksep: 34, marginx: 4, marginy: 4 });
  found.setDefaultEdgeLabel(() => ({}));
  for (const node of graph.nodes) {
    const [head, tail] = texts(node);
    found.setNode(node.id, { width: Math.max(head.length, tail.length) * 6.7 + 18, height: 40, node });
  }
  for (const [from, to] of graph.edges) found.setEdge(from, to);
  dagre.layout(found);
  return found;
}

// dagre's own width and height leave edges out that swing around the nodes.
function extent(found) {
  const xs = [];
  const ys = [];
  for (const name of found.nodes()) {
    const { x, y, width, height } = found.node(name);
    xs.push(x - width / 2, x + width / 2);
    ys.push(y - height / 2, y + height / 2);
  }
  for (const edge of found.edges()) for (const { x, y } of found.edge(edge).points) { xs.push(x); ys.push(y); }
  const [left, top] = [Math.min(...xs) - 4, Math.min(...ys) - 4];
  return { left, top, width: Math.max(...xs) + 4 - left, height: Math.max(...ys) + 4 - top };
}

function texts(node) {
  if (node.kind === "system" && node.id !== "system") return [node.id, "the system's, by the tag's policy"];
  if (node.kind === "system") {
    const count = node.note.split(", ").length;
    return ["the system", `${count} ${count === 1 ? "library" : "libraries"}`];
  }
  const sized = node.kind === "own" || node.kind === "grafted";
  return [node.id, `${KIND[node.kind]}${node.note ? `${sized ? "," : ""} ${sized ? bytes(Number(node.note)) : node.note}` : ""}`];
}

export function Picture({ title, graph, id }) {
  if (!graph.nodes.length) return <p class="quiet">{title}: no binaries.</p>;
  const found = placed(graph);
  const { left, top, width, height } = extent(found);
  return (
    <figure class="picture">
      <figcaption>{title}</figcaption>
      <div class="scroll">
        <svg viewBox={`${left} ${top} ${width} ${height}`} width={width} height={height} role="img" aria-labelledby={`${id}-words`}>
          <defs>
            <marker id={`${id}-head`} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
              <path d="M0 0 8 4 0 8z" class="head" />
            </marker>
          </defs>
          {found.edges().map((edge) => (
            <path key={`${edge.v} ${edge.w}`} class="edge" d={path(found.edge(edge).points)} marker-end={`url(#${id}-head)`} />
          ))}
          {found.nodes().map((name) => {
            const { x, y, width: wide, height: tall, node } = found.node(name);
            const [head, tail] = texts(node);
            return (
              <g key={name} transform={`translate(${x},${y})`} class={`node ${node.kind}`}>
                <title>{node.kind === "system" ? node.note : head}</title>
                <rect x={-wide / 2} y={-tall / 2} width={wide} height={tall} rx="4" />
                <text y="-3" text-anchor="middle">{head}</text>
                <text y="13" text-anchor="middle" class="tail">{tail}</text>
              </g>
            );
          })}
        </svg>
      </div>
      <details id={`${id}-words`}>
        <summary>in words</summary>
        <ul>
          {graph.nodes.map((node) => {
            const needs = graph.edges.filter(([from]) => from === node.id).map(([, to]) => (to === "system" ? "the system" : to));
            return <li key={node.id}>{texts(node).join(", ")}{needs.length ? ` → ${needs.join(", ")}` : ""}</li>;
          })}
        </ul>
      </details>
    </figure>
  );
}
