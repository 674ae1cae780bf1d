/** The page's stylesheet: one column on a phone, two on a desk. */
export const STYLE = `
:root { --ink:#1d1c1d; --dim:#6b6a6d; --line:#e3e1e4; --bar:#3f0e40; --go:#007a5a; --stop:#c5264a; --paper:#fff; --wash:#f8f6f9;
  color-scheme: light; font:15px/1.45 system-ui, sans-serif; }
* { box-sizing:border-box; }
body { margin:0; color:var(--ink); background:var(--paper); display:grid; height:100dvh;
  grid:"bar bar" auto "side main" minmax(0,1fr) / 250px minmax(0,1fr); }
h2, h3, h4, p { margin:0; } h2 { font-size:17px; } h3 { font-size:16px; }
a { color:#1264a3; } hr { border:0; border-top:1px solid var(--line); }
code { background:#f3f0f4; border-radius:4px; padding:0 .25em; font-size:.9em; }
pre { background:#f3f0f4; border:1px solid var(--line); border-radius:6px; padding:.5em; margin:.3em 0; max-height:9.5em; overflow:auto;
  white-space:pre-wrap; overflow-wrap:anywhere; font-size:13px; }
.context, small { color:var(--dim); font-size:13px; } .context code { font-size:inherit; }
#top { grid-area:bar; background:var(--bar); color:#fff; padding:.7em 1em; display:flex; flex-wrap:wrap; gap:.5em 1.2em; align-items:center; }
#top h1 { font-size:18px; margin:0; } #top p { opacity:.85; font-size:13px; flex:1 1 240px; }
#side { grid-area:side; overflow-y:auto; background:var(--wash); border-right:1px solid var(--line); padding:.8em; overflow-wrap:anywhere; }
#side h4 { color:var(--dim); font-size:12px; text-transform:uppercase; letter-spacing:.05em; margin:1em 0 .3em; }
#channels a { display:block; padding:.25em .5em; border-radius:6px; color:inherit; text-decoration:none; }
#channels a:hover { background:#ece7ee; } #channels a.here { background:#1264a3; color:#fff; }
#bar .mood { display:flex; flex-wrap:wrap; gap:.6em; align-items:center; } #bar .big { font-size:34px; line-height:1; }
#bar .mood > div { flex:1 1 150px; font-size:14px; }
svg { width:100%; height:44px; background:#fff; border:1px solid var(--line); border-radius:6px; }
svg polyline { fill:none; stroke:#1264a3; stroke-width:1.6; } svg line { stroke:var(--stop); stroke-dasharray:3 3; opacity:.6; }
.answer { font-size:13px; margin-top:.5em; min-height:3em; } .phone { font-size:13px; margin-top:.4em; }
.phone.ringing { background:#fde8ed; border-radius:6px; padding:.3em .5em; animation:ring .5s infinite alternate; }
@keyframes ring { to { transform:translateX(2px); } } @media (prefers-reduced-motion:reduce) { .phone.ringing { animation:none; } }
#break { display:flex; flex-wrap:wrap; gap:.4em; margin:.8em 0; }
button, select, input, textarea { font:inherit; } button { cursor:pointer; border:1px solid #bbb8bd; background:#fff; border-radius:6px;
  padding:.4em .8em; color:inherit; min-height:38px; }
button:hover { background:#f6f4f7; } button.primary { background:var(--go); border-color:var(--go); color:#fff; font-weight:600; }
button.danger { background:var(--stop); border-color:var(--stop); color:#fff; font-weight:600; } button:disabled { opacity:.5; }
button.quiet { border:0; background:none; padding:0 .5em; min-height:0; color:var(--dim); font-size:13px; } button.quiet:hover { color:#1264a3; }
#main { grid-area:main; display:flex; flex-direction:column; min-width:0; min-height:0; }
#messages { flex:1; overflow-y:auto; padding:0 1em 1em; overflow-wrap:anywhere; }
header.channel { position:sticky; top:0; background:#fffd; backdrop-filter:blur(3px); border-bottom:1px solid var(--line); padding:.6em 0; z-index:1; }
article { display:flex; gap:.6em; padding:.5em 0; } article .said { flex:1; min-width:0; }
article.private { background:#fff8e6; border-radius:8px; padding:.5em; }
.face { flex:none; width:36px; height:36px; border-radius:8px; background:#ece7ee; display:grid; place-items:center; font-style:normal; font-size:20px; }
.section { margin:.25em 0; } .fields { display:grid; grid-template-columns:1fr 1fr; gap:.3em; }
.actions { display:flex; flex-wrap:wrap; gap:.4em; margin:.5em 0; } p.context { margin:.2em 0; }
.mention { background:#e8f2fa; color:#1264a3; border-radius:3px; padding:0 .15em; } .empty { color:var(--dim); padding:2em 0; text-align:center; }
.thread { margin-left:18px; padding-left:26px; border-left:2px solid var(--line); } .thread .face { width:26px; height:26px; font-size:15px; }
.file { display:inline-block; border:1px solid var(--line); border-radius:8px; padding:.5em .8em; margin:.3em .4em 0 0; text-decoration:none; }
.alarm { display:block; background:#fde8ed; color:#8e1733; padding:.6em 1em; text-decoration:none; font-weight:600; overflow-wrap:anywhere; }
#say { border-top:1px solid var(--line); padding:.6em 1em; display:flex; gap:.5em; flex-wrap:wrap; align-items:center; background:var(--paper); }
#say input { flex:1 1 180px; min-width:0; padding:.5em .7em; border:1px solid #bbb8bd; border-radius:8px; min-height:40px; }
#say select { min-height:40px; border-radius:8px; border:1px solid #bbb8bd; background:#fff; }
#thread { flex-basis:100%; font-size:13px; color:#1264a3; } #thread:empty { display:none; }
#toast { position:fixed; left:50%; bottom:84px; transform:translateX(-50%); background:#1d1c1d; color:#fff; padding:.6em 1em; border-radius:8px;
  max-width:min(92vw,560px); z-index:9; } #toast:empty { display:none; }
dialog { border:0; border-radius:12px; padding:1.2em; width:min(94vw,480px); box-shadow:0 10px 40px #0005; } dialog::backdrop { background:#0007; }
dialog h2 { margin-bottom:.5em; } .field { display:block; margin:.7em 0; } .field > span { display:block; font-weight:600; }
.field input:not([type=checkbox]), .field select, .field textarea { width:100%; padding:.45em .6em; border:1px solid #bbb8bd; border-radius:6px; }
.field > small, .field > .problem { display:block; } .field > span.check { display:block; font-weight:400; } .problem { color:var(--stop); font-style:normal; font-size:13px; } .problem:empty { display:none; }
@media (max-width:720px) {
  body { height:auto; min-height:100dvh; grid:"bar" auto "side" auto "main" auto / minmax(0,1fr); } #side { border-right:0; border-bottom:1px solid var(--line); }
  #main { height:auto; min-height:70dvh; } #messages { overflow:visible; } #say { position:sticky; bottom:0; z-index:2; }
  #say select { width:7.6em; } #say input { flex:1 1 80px; } #side { overflow:visible; }
  header.channel { position:static; } #channels { display:flex; flex-wrap:wrap; gap:.2em; } #channels h4 { flex-basis:100%; margin:.5em 0 0; }
  .answer { min-height:0; } .thread { margin-left:6px; padding-left:12px; } button { min-height:44px; } button.quiet { min-height:32px; }
}
`;
