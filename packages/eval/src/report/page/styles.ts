import { darkTheme, lightTheme, themeVariables } from '../chart/theme.js'

/** The page's look. Nothing is loaded: fonts are the reader's own. */
export const styles = `
:root { color-scheme: light dark; ${themeVariables(lightTheme)} }
@media (prefers-color-scheme: dark) { :root { ${themeVariables(darkTheme)} } }
@media print { :root { color-scheme: light; ${themeVariables(lightTheme)} } }

* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--surface); color: var(--ink); font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 4.5rem 2.5rem 6rem; }
h1, h2, h3 { line-height: 1.2; text-wrap: balance; overflow-wrap: anywhere; }
h1 { margin: 0; font-size: clamp(1.9rem, 5vw, 2.75rem); font-weight: 700; letter-spacing: -0.022em; }
h2 { margin: 5.5rem 0 0; padding-top: 1.25rem; border-top: 2px solid var(--ink); font-size: 1.55rem; letter-spacing: -0.015em; }
h3 { margin: 0 0 0.5rem; font-size: 1.15rem; letter-spacing: -0.01em; }
p { margin: 0; text-wrap: pretty; overflow-wrap: anywhere; }
a { color: var(--blue); text-underline-offset: 0.2em; }
:focus-visible { outline: 3px solid var(--blue); outline-offset: 3px; }

.eyebrow { margin-bottom: 0.9rem; color: var(--muted); font-size: 0.8rem; font-weight: 600; letter-spacing: 0.09em; text-transform: uppercase; }
.subtitle { margin-top: 0.8rem; color: var(--muted); font-size: 1.1rem; }
.notice { margin-top: 1.5rem; padding: 0.7rem 1rem; border-left: 4px solid var(--vermillion); }
nav { display: flex; flex-wrap: wrap; gap: 0.2rem 1.5rem; margin-top: 2.2rem; }
.highlights { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 2rem 2.5rem; margin: 3rem 0 0; }
.highlights div { display: flex; flex-direction: column; padding-top: 0.8rem; border-top: 1px solid var(--grid); }
.highlights dt { color: var(--muted); font-size: 0.9rem; line-height: 1.4; }
.highlights dd { margin: 0; overflow-wrap: anywhere; }
.highlights .value { margin: 0.15rem 0; font-size: 1.65rem; font-weight: 650; line-height: 1.25; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; }
.highlights .note { color: var(--muted); font-size: 0.85rem; line-height: 1.45; }

figure { margin: 3.2rem 0 0; }
figure + figure { margin-top: 5rem; }
figcaption p { max-width: 44rem; color: var(--muted); }
.drawing { margin-top: 1.8rem; }
.drawing svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit; }
.drawing .narrow { display: none; }

.scroll { margin-top: 1.8rem; max-height: 30rem; overflow: auto; }
table { border-collapse: collapse; min-width: 100%; font-size: 0.85rem; line-height: 1.4; font-variant-numeric: tabular-nums; }
th, td { padding: 0.45rem 1.1rem 0.45rem 0; border-bottom: 1px solid var(--grid); text-align: left; vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
thead th { position: sticky; top: 0; background: var(--surface); border-bottom-color: var(--muted); color: var(--muted); font-weight: 600; white-space: nowrap; }
tbody th small { display: block; color: var(--muted); font-size: 0.75rem; font-weight: 400; }
.table-note { margin-top: 0.8rem; color: var(--muted); font-size: 0.85rem; }
tbody th { min-width: 8rem; max-width: 18rem; font-weight: 500; overflow-wrap: anywhere; }
td { max-width: 28rem; overflow-wrap: anywhere; }
.number { text-align: right; white-space: nowrap; }
td small { display: block; color: var(--muted); font-size: 0.75rem; }
.best span { font-weight: 700; }
.best span::before { content: "▸ "; color: var(--blue); }

details { margin-top: 1.3rem; font-size: 0.85rem; }
summary { color: var(--muted); cursor: pointer; }
pre { margin: 0.6rem 0 0; padding: 1rem 1.2rem; border: 1px solid var(--grid); border-radius: 6px; font: 0.78rem/1.6 ui-monospace, Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; tab-size: 2; }

.tokens { margin: 1.4rem 0 0; max-width: none; font-size: 1.02rem; line-height: 2.5; white-space: pre-wrap; }
.tokens .prompt { color: var(--muted); }
.token { padding: 0.22em 0; border-bottom: solid var(--blue); background: var(--shade); box-decoration-break: clone; -webkit-box-decoration-break: clone; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
.token + .token { box-shadow: inset 1px 0 var(--surface); }
.legend { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.4rem 0.6rem; margin-top: 1.4rem; color: var(--muted); font-size: 0.85rem; }
.legend .token { min-width: 2.6rem; color: var(--ink); text-align: center; }
footer { margin-top: 6rem; padding-top: 1.25rem; border-top: 1px solid var(--grid); color: var(--muted); font-size: 0.85rem; }

@media (max-width: 640px) {
  main { padding: 2.5rem 12px 4rem; }
  h2 { margin-top: 4rem; }
  .drawing .wide { display: none; }
  .drawing .narrow { display: block; max-width: 440px; }
  .highlights { grid-template-columns: 1fr 1fr; gap: 1.4rem; margin-top: 2rem; }
  .highlights .value { font-size: 1.3rem; }
}
@media print {
  @page { margin: 16mm 14mm; }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  h2 { margin-top: 2.5rem; }
  h2, h3, figcaption { break-after: avoid; }
  figure, figure + figure { margin-top: 2rem; }
  .drawing .wide { display: block; }
  .drawing .narrow { display: none; }
  .drawing, tr, .highlights, .tokens { break-inside: avoid; }
  .scroll { max-height: none; overflow: visible; }
  thead th { position: static; }
  table { font-size: 7.5pt; }
  th, td { padding-right: 0.6rem; }
  td small { font-size: 6.5pt; }
  details::details-content { display: block; content-visibility: visible; }
  pre { font-size: 7pt; }
  svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`
