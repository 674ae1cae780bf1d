import { Ajv, type Options } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';
import type { OutputFormatConfig } from '../../config/content.ts';
import { InputError, messageOf } from '../../errors.ts';

/** True when an output is well formed. */
export type FormatCheck = (output: string) => boolean;

const OLDER_DRAFT = /draft-0[4-7]/;

// Schemas are written by people and outputs by models: patterns run on RE2, which no text can make slow.
const linearPattern = Object.assign((pattern: string) => RE2JS.compile(pattern), {
  code: 'require("re2js").RE2JS.compile',
});

/**
 * Policy: an output is well formed when it is JSON that its schema allows (a fence around it is no fault) and when the
 * pattern is found in it; `^` and `$` bind the pattern to its ends. Throws InputError naming the field.
 */
export function formatCheck(format: OutputFormatConfig, path = 'services.NAME.format'): FormatCheck {
  const { json_schema: schema, pattern } = format;
  if (schema === undefined && pattern === undefined) {
    throw new InputError([`${path}: needs json_schema or pattern`]);
  }
  const checks = [
    ...(schema === undefined ? [] : [schemaCheck(schema, `${path}.json_schema`)]),
    ...(pattern === undefined ? [] : [patternCheck(pattern, `${path}.pattern`)]),
  ];
  return (output) => checks.every((check) => check(output));
}

function schemaCheck(schema: Record<string, unknown>, path: string): FormatCheck {
  const options: Options = { strict: false, validateFormats: false, code: { regExp: linearPattern } };
  const draft = String(schema['$schema'] ?? '');
  const ajv = OLDER_DRAFT.test(draft) ? new Ajv(options) : new Ajv2020(options);
  const { $schema: _, ...bare } = schema;
  const validate = compiled(path, () => ajv.compile(bare));
  return (output) => {
    const parsed = jsonIn(output);
    return parsed.kind === 'json' && isWithinDepth(() => validate(parsed.value));
  };
}

function patternCheck(pattern: string, path: string): FormatCheck {
  const found = compiled(path, () => RE2JS.compile(pattern));
  return (output) => found.test(output);
}

function compiled<T>(path: string, compile: () => T): T {
  try {
    return compile();
  } catch (thrown) {
    throw new InputError([`${path}: ${messageOf(thrown)}`]);
  }
}

/** An answer nested so deeply that the stack cannot follow it is not what any schema asked for. */
function isWithinDepth(validate: () => boolean): boolean {
  try {
    return validate();
  } catch (thrown) {
    if (thrown instanceof RangeError) return false;
    throw thrown;
  }
}

type Parsed = { kind: 'json'; value: unknown } | { kind: 'other' };

function jsonIn(output: string): Parsed {
  try {
    return { kind: 'json', value: JSON.parse(unfenced(output.trim())) };
  } catch {
    return { kind: 'other' };
  }
}

function unfenced(text: string): string {
  const opening = /^```(?:json)?[ \t]*\n/i.exec(text)?.[0];
  return opening !== undefined && text.endsWith('```') ? text.slice(opening.length, -3) : text;
}

/** What is wrong with the formats of a config file, one line each with its path. */
export function formatProblems(
  services: Readonly<Record<string, { format?: OutputFormatConfig | undefined }>>,
): string[] {
  return Object.entries(services).flatMap(([service, { format }]) => {
    if (format === undefined) return [];
    try {
      formatCheck(format, `services.${service}.format`);
      return [];
    } catch (thrown) {
      if (!(thrown instanceof InputError)) throw thrown;
      return [...thrown.problems];
    }
  });
}
