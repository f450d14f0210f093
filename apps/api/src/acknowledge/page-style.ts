/** How the page of an alert looks: for a thumb at night, from 320 pixels on, in light and in dark. */
export const STYLE = `
:root { color-scheme: light dark; --paper: #f4f5f7; --card: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d8dee4; --tone: #2f5d9b; }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; background: var(--paper); color: var(--ink); font: 1.0625rem/1.5 system-ui, "Noto Sans Ethiopic", sans-serif; }
main { max-width: 34rem; margin: 0 auto; padding: 1rem; }
article { background: var(--card); border: 1px solid var(--line); border-top: 0.375rem solid var(--tone); border-radius: 0.75rem; padding: 1.25rem; }
.critical { --tone: #b3261e; }
.warning { --tone: #a15c00; }
.level { margin: 0; color: var(--tone); font-weight: 700; font-size: 0.875rem; letter-spacing: 0.06em; }
h1 { margin: 0 0 0.5rem; font-size: 1.375rem; line-height: 1.25; overflow-wrap: anywhere; }
.message { margin: 0 0 1rem; white-space: pre-line; overflow-wrap: anywhere; }
#state { margin: 0 0 1rem; font-weight: 600; overflow-wrap: anywhere; }
.acknowledged #state, .resolved #state { color: #1a7f37; }
form { position: sticky; bottom: 0.5rem; }
button { width: 100%; min-height: 4rem; border: 2px solid var(--tone); border-radius: 0.75rem; background: var(--tone); color: #fff; font: inherit; font-size: 1.25rem; font-weight: 700; cursor: pointer; }
button.resolve { min-height: 3.25rem; background: var(--card); color: var(--tone); font-size: 1.0625rem; }
button:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px; }
dl { margin: 1.25rem 0 0; }
dl div { display: flex; gap: 1rem; padding: 0.5rem 0; border-top: 1px solid var(--line); }
dt { flex: 0 0 35%; color: var(--soft); }
dd { flex: 1; margin: 0; min-width: 0; overflow-wrap: anywhere; }
.yours { margin: 0.75rem 0 0; color: var(--soft); font-size: 0.875rem; overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #0d1117; --card: #161b22; --ink: #e6edf3; --soft: #9aa4af; --line: #30363d; --tone: #79b8ff; }
  .critical { --tone: #ff8a80; }
  .warning { --tone: #f2b84b; }
  .acknowledged #state, .resolved #state { color: #56d364; }
  button.acknowledge { color: #14070a; }
}
`;
