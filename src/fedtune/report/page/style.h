// How a report looks: one blue family with an orange, a green, a violet, a red and an olive beside it, all of which
// people who see colours otherwise tell apart by lightness; every use has a label or a shape of its own as well.
#pragma once

namespace fedtune::report {

// Colours are variables, so that light and dark share all else. Text has a contrast of 4.5 and more, marks of 3.
constexpr const char* page_style = R"css(
:root{--bg:#fdfdfc;--card:#f4f5f6;--text:#1c2127;--muted:#545d68;--grid:#e1e4e8;--link:#1b5aa6;
--c0:#1b5aa6;--c1:#b4540a;--c2:#0a7563;--c3:#7444ad;--c4:#b02a5b;--c5:#5d6a12;
--q0:#1b5aa6;--q1:#78a9dd;--q2:#c3daf2;--q3:#8d96a1;--q4:#d5d9de;--warn:#b02a5b}
@media (prefers-color-scheme:dark){:root{--bg:#14181d;--card:#1d232a;--text:#e7ebef;--muted:#a3aebb;--grid:#2c343d;--link:#8abdf5;
--c0:#7db6f4;--c1:#f2a661;--c2:#58cbb3;--c3:#c4a4f0;--c4:#f28fae;--c5:#c6ce6e;
--q0:#7db6f4;--q1:#3f78b5;--q2:#264a70;--q3:#7d8894;--q4:#48525d;--warn:#f28fae}}
*{box-sizing:border-box}
html{scroll-behavior:smooth}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0 auto;max-width:76rem;padding:0 1rem 4rem;background:var(--bg);color:var(--text);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
header{padding-top:2rem}
header p{margin:0;color:var(--muted);font-size:.9rem}
h1{margin:.1rem 0 .8rem;font-size:1.7rem;line-height:1.2;overflow-wrap:anywhere}
h2{margin:2.6rem 0 .2rem;font-size:1.25rem}
h3{margin:0;font-size:1rem;overflow-wrap:anywhere}
a{color:var(--link)}
a:focus-visible,summary:focus-visible,[tabindex]:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;background:var(--bg);padding:.3rem .6rem}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;list-style:none;margin:0;padding:.5rem 0;
border-top:1px solid var(--grid);border-bottom:1px solid var(--grid)}
nav a{display:inline-block;padding:.25rem 0}
.lead{margin:.1rem 0 1rem;color:var(--muted);max-width:48rem}
.remark{border-left:4px solid var(--warn);padding:.3rem .8rem;background:var(--card);margin:.5rem 0;overflow-wrap:anywhere}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.8rem;margin:0}
.cards div{background:var(--card);border-radius:.5rem;padding:.7rem .9rem}
.cards dt{color:var(--muted);font-size:.85rem}
.cards dd{margin:0;font-size:1.35rem;font-variant-numeric:tabular-nums}
.cards small{display:block;font-size:.8rem;color:var(--muted);line-height:1.3}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(21rem,100%),1fr));gap:1.6rem 2rem;align-items:start}
figure{margin:0;min-width:0}
figcaption p{margin:0 0 .4rem;color:var(--muted);font-size:.85rem;line-height:1.35;min-height:2.3rem}
svg{display:block;width:100%;max-width:34rem;height:auto;font:13px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.tk{fill:var(--muted)}.tkf{fill:var(--muted)}.e{text-anchor:end}.m{text-anchor:middle}
.lb{font-weight:600}
.gr{stroke:var(--grid);fill:none}.lv{stroke:var(--muted);stroke-width:1.2;stroke-dasharray:2 3;fill:none}
.ln{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.da{stroke-dasharray:6 4}
.bd{fill-opacity:.16}.cross{stroke:var(--warn);stroke-width:2;fill:none}
.s0{stroke:var(--c0)}.s1{stroke:var(--c1)}.s2{stroke:var(--c2)}.s3{stroke:var(--c3)}.s4{stroke:var(--c4)}.s5{stroke:var(--c5)}
.f0,.t0{fill:var(--c0)}.f1,.t1{fill:var(--c1)}.f2,.t2{fill:var(--c2)}.f3,.t3{fill:var(--c3)}.f4,.t4{fill:var(--c4)}.f5,.t5{fill:var(--c5)}
.q0{fill:var(--q0)}.q1{fill:var(--q1)}.q2{fill:var(--q2)}.q3{fill:var(--q3)}.q4{fill:var(--q4)}
details{margin:.3rem 0 0}
summary{color:var(--muted);font-size:.85rem;cursor:pointer;padding:.25rem 0}
.scroll{overflow-x:auto;max-height:26rem;margin:.6rem 0}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--muted);padding:.2rem 0}
th,td{padding:.3rem .8rem .3rem 0;text-align:left;border-bottom:1px solid var(--grid);white-space:nowrap;vertical-align:top}
th{font-weight:600}
.n th:not(:first-child),.n td{text-align:right;padding:.3rem 0 .3rem 1rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);padding:.7rem .9rem;border-radius:.5rem;font-size:.85rem;margin:.4rem 0 1rem}
@media print{nav,.skip{display:none}figure{break-inside:avoid}}
)css";

}  // namespace fedtune::report
