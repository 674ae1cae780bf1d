import { wrap } from './story-text.ts';

/** Tells what happens, a short line per event. */
export interface Teller {
  /** A line with the simulated time of day and a word for where in the story it belongs. */
  line(stage: string, text: string): void;
  /** A line without time. */
  note(text: string): void;
  /** A line that is not broken, for a path or a table. */
  plain(text: string): void;
  /** Something as it looks on a screen. */
  box(title: string, lines: readonly string[]): void;
}

const WIDTH = 100;
const STAGE_WIDTH = 12;
const STAMP_WIDTH = 9;
const INDENT = STAMP_WIDTH + 2 + STAGE_WIDTH;
const RESET = '\u001b[0m';
const DIM = '\u001b[2m';
const BOLD = '\u001b[1m';
const COLOURS: Record<string, string> = {
  metric: '\u001b[36m',
  signal: '\u001b[33m',
  room: '\u001b[35m',
  page: '\u001b[31m',
  decision: '\u001b[34m',
  proposal: '\u001b[34m',
  approval: '\u001b[34m',
  mitigation: '\u001b[32m',
  proof: '\u001b[32m',
  'post-mortem': '\u001b[35m',
  'eval case': '\u001b[35m',
};

/** Prints to stdout; in colour only for a person at a terminal. `time` is the simulated clock. */
export function createTeller(time: () => Date): Teller {
  const isColoured = process.stdout.isTTY === true && !process.env['NO_COLOR'];
  const paint = (colour: string, text: string) => (isColoured ? `${colour}${text}${RESET}` : text);
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  let firstDay: number | undefined;
  const stamp = () => {
    const now = time();
    const day = Math.floor(now.getTime() / 86_400_000);
    firstDay ??= day;
    const later = day > firstDay ? `+${day - firstDay}d ` : '';
    return `${later}${now.toISOString().slice(11, 16)}`.padStart(STAMP_WIDTH);
  };
  return {
    line: (stage, text) => {
      const [first = '', ...rest] = text.split('\n').flatMap((part) => wrap(part, WIDTH - INDENT));
      const word = paint(`${BOLD}${COLOURS[stage] ?? ''}`, stage.padEnd(STAGE_WIDTH));
      print(`${paint(DIM, stamp())}  ${word}${first}`);
      for (const more of rest) print(`${' '.repeat(INDENT)}${more}`);
    },
    note: (text) => {
      for (const part of text.split('\n').flatMap((line) => wrap(line, WIDTH))) print(part);
    },
    plain: print,
    box: (title, lines) => {
      const inner = WIDTH - INDENT - 4;
      const body = lines.flatMap((line) => wrap(line, inner));
      const edge = (text: string) => paint(DIM, text);
      const margin = ' '.repeat(INDENT);
      print(`${margin}${edge(`┌─ ${title} ${'─'.repeat(Math.max(0, inner - title.length - 1))}┐`)}`);
      for (const line of body) print(`${margin}${edge('│')} ${line.padEnd(inner)} ${edge('│')}`);
      print(`${margin}${edge(`└${'─'.repeat(inner + 2)}┘`)}`);
    },
  };
}
