import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { safety } from '../src/config/content.ts';
import { personalData } from '../src/example-personal-data.ts';
import { type CallFeatures, inspectCall } from '../src/sources/content/inspect.ts';
import { leaksOf } from '../src/sources/content/leaks.ts';
import { compareCosts, compareRates, type Measurement } from './measurement.ts';

const ALARMS_ALLOWED_PERCENT = 1;

const row = z.object({
  user_query: z.string(),
  chatgpt_response: z.string(),
  hallucination: z.enum(['yes', 'no']),
});

interface Marked {
  input: string;
  output: string;
  isHallucinated: boolean;
  features: CallFeatures;
}

/** What the texts of calls show, against marks that people made, and personal data against known texts. */
export async function content(): Promise<Measurement[]> {
  const file = join(process.env['LLM_INCIDENT_DATA_DIR'] ?? '', 'halueval-general-2000.jsonl');
  if (!existsSync(file)) {
    console.error(`content: no ${file}; set LLM_INCIDENT_DATA_DIR to measure against HaluEval's answers`);
    return [recallOfPersonalData()];
  }
  const answers = readFileSync(file, 'utf8').trim().split('\n').map(marked);
  return [
    ...againstMarks('hedging', answers, ({ hedged }) => hedged),
    ...againstMarks('refusing', answers, ({ refused }) => refused),
    ...againstMarks('hedging or refusing', answers, ({ hedged, refused }) => hedged || refused),
    ...againstMarks('beside a source, unsupported or contradicting', answers, (features) =>
      features.unsupported === null ? null : features.unsupported || features.contradicts,
    ),
    recallOfPersonalData(),
    falseAlarms(answers),
  ];
}

function marked(line: string): Marked {
  const { user_query: input, chatgpt_response: output, hallucination } = row.parse(JSON.parse(line));
  return { input, output, isHallucinated: hallucination === 'yes', features: inspectCall({ input, output }) };
}

/** Floors: the precision of flagging every answer, and the recall of flagging as many of them by chance. */
function againstMarks(
  signal: string,
  answers: readonly Marked[],
  read: (features: CallFeatures) => boolean | null,
): Measurement[] {
  const judged = answers.filter(({ features }) => read(features) !== null);
  const flagged = judged.filter(({ features }) => read(features));
  const wrong = judged.filter(({ isHallucinated }) => isHallucinated);
  const hits = flagged.filter(({ isHallucinated }) => isHallucinated);
  const percent = (part: readonly unknown[], whole: readonly unknown[]) => (100 * part.length) / whole.length;
  const of = `${signal}, of ${judged.length} answers`;
  return [
    compareRates({
      name: `precision of ${of}`,
      floor: percent(wrong, judged),
      value: percent(hits, flagged),
      unit: '%',
      target: 1,
    }),
    compareRates({
      name: `recall of ${of}`,
      floor: percent(flagged, judged),
      value: percent(hits, wrong),
      unit: '%',
      target: 1,
    }),
  ];
}

function recallOfPersonalData(): Measurement {
  const settings = safety.parse({});
  const found = personalData.filter(([, output]) => leaksOf({ input: null, output }, settings).length > 0);
  const value = (100 * found.length) / personalData.length;
  const name = `recall of personal data, of ${personalData.length} kinds`;
  return compareRates({ name, floor: 100, value, unit: '%', target: 1 });
}

function falseAlarms(answers: readonly Marked[]): Measurement {
  const settings = safety.parse({});
  const alarms = answers.filter((answer) => leaksOf(answer, settings).length > 0);
  const value = (100 * alarms.length) / answers.length;
  const name = `ordinary answers called leaks, of ${answers.length}`;
  return compareCosts({ name, floor: ALARMS_ALLOWED_PERCENT, value, unit: '%', target: 1 });
}
