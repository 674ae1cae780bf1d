import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

/** One panel: a line of values over time, the threshold and the baseline beside it, and the moments to be marked. */
export interface Panel {
  title: string;
  points: readonly { at: Date; value: number; threshold: number | null; baseline?: number | null }[];
  marks: readonly { at: Date; label: string }[];
}

const FONT = 'DejaVu Sans';
const WIDTH_PX = 560;
const HEIGHT_PX = 110;
const RED = '#b3261e';
const GREY = '#6b6b6b';

/** Labels of neighbouring marks stand on different lines. */
const labelY = (index: number) => 3 + (index % 4) * 13;

/**
 * Panels one under the other as an SVG, times in UTC. The text is in DejaVu Sans, which comes with the project, because
 * a machine may have no fonts.
 */
export async function lineChartSvg(title: string, panels: readonly Panel[]): Promise<string> {
  const { spec } = compile(specOf(title, panels));
  const view = new View(parse(spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** The same as a PNG, twice as dense for phones. */
export async function lineChartPng(title: string, panels: readonly Panel[]): Promise<Buffer> {
  return pngOf(await lineChartSvg(title, panels));
}

/** An SVG as a PNG of twice its size, with the font that comes with the project. */
export function pngOf(svg: string): Buffer {
  const font = { loadSystemFonts: false, fontFiles: fontFiles(), defaultFontFamily: FONT };
  return Buffer.from(
    new Resvg(svg, { font, fitTo: { mode: 'zoom', value: 2 }, background: 'white' }).render().asPng(),
  );
}

function fontFiles(): string[] {
  const require = createRequire(import.meta.url);
  const folder = join(dirname(require.resolve('dejavu-fonts-ttf/package.json')), 'ttf');
  return ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((file) => join(folder, file));
}

function specOf(title: string, panels: readonly Panel[]): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: title, anchor: 'start', fontSize: 14 },
    background: 'white',
    config: { font: FONT, axis: { labelFontSize: 10, titleFontSize: 10 }, view: { stroke: '#dddddd' } },
    padding: { left: 5, top: 5, bottom: 5, right: 90 },
    vconcat: panels.map(panelSpec),
    resolve: { scale: { x: 'shared' } },
  } as TopLevelSpec;
}

function panelSpec({ title, points, marks }: Panel): object {
  const x = {
    field: 'at',
    type: 'temporal',
    scale: { type: 'utc' },
    axis: { title: 'UTC', format: '%d %b %H:%M' },
  };
  const y = { type: 'quantitative', axis: { title: null }, scale: { zero: false } };
  const rows = points.map(({ at, value, threshold, baseline = null }) => ({
    at: at.getTime(),
    value,
    threshold,
    baseline,
  }));
  return {
    title: { text: title, anchor: 'start', fontSize: 11, fontWeight: 'normal' },
    width: WIDTH_PX,
    height: HEIGHT_PX,
    layer: [
      {
        data: { values: rows },
        mark: { type: 'line', color: '#1f5fa8', strokeWidth: 1.3, interpolate: 'linear' },
        encoding: { x, y: { ...y, field: 'value' } },
      },
      {
        data: { values: rows.filter((row) => row.threshold !== null) },
        mark: { type: 'line', color: RED, strokeDash: [5, 4], strokeWidth: 1 },
        encoding: { x, y: { ...y, field: 'threshold' } },
      },
      {
        data: { values: rows.filter((row) => row.baseline !== null) },
        mark: { type: 'line', color: GREY, strokeDash: [2, 3], strokeWidth: 1 },
        encoding: { x, y: { ...y, field: 'baseline' } },
      },
      {
        data: { values: marks.map(({ at, label }) => ({ at: at.getTime(), label })) },
        mark: { type: 'rule', color: RED, strokeWidth: 1.5 },
        encoding: { x },
      },
      {
        data: { values: marks.map(({ at, label }, i) => ({ at: at.getTime(), label, y: labelY(i) })) },
        mark: { type: 'text', color: RED, align: 'left', dx: 4, baseline: 'top', fontSize: 10 },
        encoding: { x, y: { field: 'y', type: 'quantitative', scale: null }, text: { field: 'label' } },
      },
    ],
  };
}
