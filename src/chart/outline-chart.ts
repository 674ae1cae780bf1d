import { wrapped } from './chart-text.ts';
import { pngOf } from './line-chart.ts';

/** One row of a drawn outline. */
export interface ChartRow {
  depth: number;
  /** In front of the text, such as "yes". */
  label: string | null;
  text: string;
  kind: 'head' | 'note' | 'step' | 'end';
  isMarked: boolean;
}

const WIDTH_PX = 420;
const MARGIN_PX = 12;
const INDENT_PX = 14;
const LINE_PX = 17;
const ROW_GAP_PX = 7;
const TITLE_PX = 26;
/** Of DejaVu Sans at 12 px, on average over English text. */
const CHAR_PX = 7;
const FONT = 'DejaVu Sans';

const COLOURS = { head: '#111111', note: '#555555', step: '#1d4f8c', end: '#22683a' } as const;

interface Line {
  x: number;
  y: number;
  text: string;
  style: string;
}

/** An outline as an SVG, narrow enough to be read on a phone, times longer than wide. */
export function outlineSvg(title: string, rows: readonly ChartRow[]): string {
  const lines: Line[] = [
    { x: MARGIN_PX, y: TITLE_PX - 6, text: title, style: 'font-size="14" font-weight="bold"' },
  ];
  const marks: string[] = [];
  let y = TITLE_PX;
  for (const row of rows) {
    y += ROW_GAP_PX;
    const x = MARGIN_PX + row.depth * INDENT_PX;
    const said = row.label === null ? row.text : `${row.label}: ${row.text}`;
    const parts = wrapped(said, (WIDTH_PX - x - MARGIN_PX) / CHAR_PX);
    const top = y;
    for (const text of parts) {
      y += LINE_PX;
      const weight = row.kind === 'head' || row.isMarked ? ' font-weight="bold"' : '';
      lines.push({ x, y: y - 4, text, style: `font-size="12" fill="${COLOURS[row.kind]}"${weight}` });
    }
    if (row.isMarked)
      marks.push(`<rect x="${x - 8}" y="${top + 2}" width="3" height="${y - top - 2}" fill="#b3261e"/>`);
  }
  const texts = lines.map(
    ({ x, y: at, text, style }) => `<text x="${x}" y="${at}" ${style}>${escaped(text)}</text>`,
  );
  const height = y + MARGIN_PX;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH_PX}" height="${height}" font-family="${FONT}">` +
    `<rect width="100%" height="100%" fill="white"/>${marks.join('')}${texts.join('')}</svg>`
  );
}

/** The same as a PNG, twice as dense for phones. */
export function outlinePng(title: string, rows: readonly ChartRow[]): Buffer {
  return pngOf(outlineSvg(title, rows));
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
