import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Resvg } from '@resvg/resvg-js';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { markLabels, timeAxis, valuesShown, wrapped } from './chart-text.ts';

/** One panel: a line of values over time, the threshold and the baseline beside it, and the moments to be marked. */
export interface Panel {
  title: string;
  /** What the values are, and how the axis writes them, as a d3 format. */
  axis?: { title: string; format: string };
  points: readonly { at: Date; value: number; threshold: number | null; baseline?: number | null }[];
  marks: readonly { at: Date; label: string }[];
  /** Times to be shaded, such as the incident. */
  spans?: readonly { from: Date; to: Date }[];
}

export interface ChartSize {
  /** Of the field that the lines are in. */
  widthPx: number;
  heightPx: number;
}

const FONT = 'DejaVu Sans';
/** With its axis as wide as a phone, so that Slack does not shrink the letters. */
const PHONE: ChartSize = { widthPx: 340, heightPx: 150 };
const BLUE = '#1f5fa8';
const RED = '#b3261e';
const GREY = '#595959';
const MOST_DOTS = 60;
const LABEL_PX = 13;
/** Of DejaVu Sans on average over English text, bold at 14 px and plain at 12 px. */
const TITLE_CHAR_PX = 9.2;
const SUBTITLE_CHAR_PX = 7.4;

/**
 * Panels one under the other as an SVG, times in UTC. The text is in DejaVu Sans, which comes with the project, because
 * a machine may have no fonts. It stands on white, so that it reads the same in a dark client.
 */
export async function lineChartSvg(
  title: string,
  panels: readonly Panel[],
  size: ChartSize = PHONE,
): Promise<string> {
  const { spec } = compile(specOf(title, panels, size));
  const view = new View(parse(spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}

/** The same as a PNG, twice as dense for phones. */
export async function lineChartPng(
  title: string,
  panels: readonly Panel[],
  size: ChartSize = PHONE,
): Promise<Buffer> {
  return pngOf(await lineChartSvg(title, panels, size));
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

function specOf(title: string, panels: readonly Panel[], size: ChartSize): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: wrapped(title, (size.widthPx + 30) / TITLE_CHAR_PX),
      anchor: 'start',
      fontSize: 14,
      offset: 8,
    },
    background: 'white',
    config: {
      font: FONT,
      axis: { labelFontSize: 11, titleFontSize: 11, titleFontWeight: 'normal', gridColor: '#e8e8e8' },
      axisY: { minExtent: 34 },
      view: { stroke: '#c8c8c8' },
    },
    padding: 10,
    vconcat: panels.map((panel) => panelSpec(panel, size)),
    resolve: { scale: { x: 'shared' } },
  } as TopLevelSpec;
}

interface Encoding {
  x: object;
  y: object;
}

function panelSpec(panel: Panel, { widthPx, heightPx }: ChartSize): object {
  const x = { field: 'at', type: 'temporal', scale: { type: 'utc' }, axis: timeAxis(panel.points, widthPx) };
  const y = {
    type: 'quantitative',
    scale: { domain: valuesShown(panel.points), nice: false },
    axis: { title: panel.axis?.title ?? null, format: panel.axis?.format ?? ',f', tickCount: 5 },
  };
  const marks = markLabels(panel.marks, panel.points);
  return {
    title: {
      text: wrapped(panel.title, (widthPx + 30) / SUBTITLE_CHAR_PX),
      anchor: 'start',
      fontSize: 12,
      fontWeight: 'normal',
      offset: 6,
    },
    width: widthPx,
    height: heightPx,
    layer: [...spanLayer(panel, x), ...lineLayers(panel, { x, y }), ...markLayers(panel, marks, x)],
  };
}

function spanLayer({ spans = [] }: Panel, x: object): object[] {
  if (spans.length === 0) return [];
  const rows = spans.map(({ from, to }) => ({ at: from.getTime(), to: to.getTime() }));
  const mark = { type: 'rect', color: RED, opacity: 0.08 };
  return [{ data: { values: rows }, mark, encoding: { x, x2: { field: 'to' } } }];
}

function lineLayers({ points }: Panel, { x, y }: Encoding): object[] {
  const rows = points.map(({ at, value, threshold, baseline = null }) => ({
    at: at.getTime(),
    value,
    threshold,
    baseline,
  }));
  const dots = points.length <= MOST_DOTS ? { point: { color: BLUE, size: 16 } } : {};
  const line = (field: 'value' | 'threshold' | 'baseline', look: object) => ({
    data: { values: rows.filter((row) => row[field] !== null) },
    mark: { type: 'line', ...look },
    encoding: { x, y: { ...y, field } },
  });
  const named = { x, y, last: rows.at(-1) };
  return [
    line('baseline', { color: GREY, strokeDash: [2, 3], strokeWidth: 1.2 }),
    line('threshold', { color: RED, strokeDash: [5, 4], strokeWidth: 1.2 }),
    line('value', { color: BLUE, strokeWidth: 2, ...dots }),
    ...lineName(named, { field: 'baseline', said: 'usual', color: GREY }),
    ...lineName(named, { field: 'threshold', said: 'alert', color: RED }),
  ];
}

/** The name of a line at its right end, in its colour, with a white edge so that it reads across other lines. */
function lineName(
  { x, y, last }: Encoding & { last: Record<string, number | null> | undefined },
  { field, said, color }: { field: string; said: string; color: string },
): object[] {
  if (last === undefined || last[field] === null) return [];
  const text = { type: 'text', text: said, align: 'right', baseline: 'bottom', dx: -2, dy: -2, fontSize: 11 };
  const layer = (look: object) => ({
    data: { values: [last] },
    mark: { ...text, ...look },
    encoding: { x, y: { ...y, field } },
  });
  return [layer({ color: 'white', stroke: 'white', strokeWidth: 4 }), layer({ color })];
}

/** Moments as upright lines; what they are stands above the field, where no line of values is. */
function markLayers({ marks }: Panel, labels: ReturnType<typeof markLabels>, x: object): object[] {
  if (marks.length === 0) return [];
  const rows = labels.map(({ at, text, line }) => ({ at: at.getTime(), text, y: -4 - line * LABEL_PX }));
  const named = (isLeft: boolean) => ({
    data: { values: rows.filter((_, index) => labels[index]?.isLeft === isLeft) },
    mark: {
      type: 'text',
      color: RED,
      align: isLeft ? 'right' : 'left',
      dx: isLeft ? 2 : -2,
      baseline: 'bottom',
      fontSize: 11,
    },
    encoding: { x, y: { field: 'y', type: 'quantitative', scale: null }, text: { field: 'text' } },
  });
  return [
    {
      data: { values: marks.map(({ at }) => ({ at: at.getTime() })) },
      mark: { type: 'rule', color: RED, strokeWidth: 1.5 },
      encoding: { x },
    },
    named(false),
    named(true),
  ];
}
