import { parse } from 'yaml';
import { z } from 'zod';
import { InputError, messageOf } from '../errors.ts';
import { type Assertion, TEXT_ASSERTIONS } from './assertion.ts';
import type { EvalCase } from './eval-case.ts';

const test = z.object({
  description: z.string().default(''),
  vars: z.object({ input: z.string() }),
  metadata: z.object({
    incident: z.string(),
    call: z.string().default(''),
    service: z.string().optional(),
    prompt: z.string().optional(),
    proven: z.boolean().default(false),
    why: z.string().default(''),
  }),
  assert: z.array(z.object({ type: z.string(), value: z.unknown() })).default([]),
});
const configuration = z.object({ tests: z.array(z.unknown()) });

/**
 * The cases of a file that was exported: JSON Lines, or a promptfoo configuration in YAML. Throws InputError naming the
 * file and the line or test.
 */
export function readCases(text: string, path: string): EvalCase[] {
  return /\.ya?ml$/i.test(path) ? fromYaml(text, path) : fromLines(text, path);
}

function fromLines(text: string, path: string): EvalCase[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const place = `${path}, line ${index + 1}`;
    return [
      toCase(
        understood(place, () => JSON.parse(line)),
        place,
      ),
    ];
  });
}

function fromYaml(text: string, path: string): EvalCase[] {
  const { tests } = understood(path, () => configuration.parse(parse(text)));
  return tests.map((one, index) => toCase(one, `${path}, test ${index + 1}`));
}

function toCase(found: unknown, place: string): EvalCase {
  const { description, vars, metadata, assert } = understood(place, () => test.parse(found));
  const { incident, call, service, prompt, proven, why } = metadata;
  return {
    incidentId: incident,
    callId: call,
    service,
    promptName: prompt,
    description: description.replace(`${incident}: `, ''),
    input: vars.input,
    assertions: assert.flatMap(assertionIn),
    proven,
    why,
  };
}

/** What is not ours to check, such as an assertion that was added by hand and needs code, is left out. */
function assertionIn({ type, value }: { type: string; value?: unknown }): Assertion[] {
  const known = TEXT_ASSERTIONS.find((one) => one === type);
  if (known !== undefined && typeof value === 'string') return [{ type: known, value }];
  if (type === 'llm-rubric' && typeof value === 'string') return [{ type, value }];
  if (type === 'is-json' && typeof value === 'object' && value !== null)
    return [{ type, schema: value as Record<string, unknown> }];
  const [, sign, chars] = /^String\(output\)\.length (>=|<=) (\d{1,9})$/.exec(String(value)) ?? [];
  if (type !== 'javascript' || chars === undefined) return [];
  return [{ type: sign === '>=' ? 'min-length' : 'max-length', chars: Number(chars) }];
}

function understood<T>(place: string, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    const why = thrown instanceof z.ZodError ? z.prettifyError(thrown) : messageOf(thrown);
    throw new InputError([`${place}: ${why}`]);
  }
}
