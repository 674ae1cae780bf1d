import { Document } from 'yaml';
import type { Assertion } from './assertion.ts';
import type { EvalCase } from './eval-case.ts';

interface Metadata {
  readonly incident: string;
  readonly call: string;
  readonly service?: string | undefined;
  readonly prompt?: string | undefined;
  readonly reference?: string | undefined;
  readonly proven: boolean;
  readonly why: string;
}

interface PromptfooTest {
  readonly description: string;
  readonly vars: { readonly input: string };
  readonly metadata: Metadata;
  readonly assert: readonly PromptfooAssert[];
}

interface PromptfooAssert {
  readonly type: string;
  readonly value: string | Readonly<Record<string, unknown>>;
}

/** A promptfoo configuration with one test a case. The provider is a placeholder that echoes the prompt. */
export function promptfooYaml(cases: readonly EvalCase[], about: { incidentId: string }): string {
  const document = new Document({
    description: `Eval cases of ${about.incidentId}`,
    prompts: ['{{input}}'],
    providers: ['echo'],
    tests: cases.map(promptfooTest),
  });
  const providers = document.get('providers', true) as { commentBefore?: string } | undefined;
  if (providers) providers.commentBefore = ' Replace echo by the provider or application under test.';
  // Quoted throughout: an answer such as No or 1e3 is a text in every YAML reader, old ones too.
  return document.toString({
    lineWidth: 0,
    defaultStringType: 'QUOTE_DOUBLE',
    defaultKeyType: 'PLAIN',
    doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
  });
}

/** One promptfoo test a line, for `tests: file://cases.jsonl` or any other reader of JSON Lines. */
export function casesJsonl(cases: readonly EvalCase[]): string {
  return cases.map((one) => `${JSON.stringify(promptfooTest(one))}\n`).join('');
}

function promptfooTest(one: EvalCase): PromptfooTest {
  const { incidentId: incident, callId: call, service, promptName: prompt, reference, proven, why } = one;
  return {
    description: `${incident}: ${one.description}`,
    vars: { input: one.input },
    metadata: { incident, call, service, prompt, reference, proven, why },
    assert: one.assertions.map(promptfooAssert),
  };
}

// Lengths become code from this fixed template, which holds nothing but an integer.
function promptfooAssert(assertion: Assertion): PromptfooAssert {
  if ('schema' in assertion) return { type: assertion.type, value: assertion.schema };
  if ('value' in assertion) return { type: assertion.type, value: assertion.value };
  const chars = Math.max(0, Math.trunc(assertion.chars) || 0);
  const sign = assertion.type === 'min-length' ? '>=' : '<=';
  return { type: 'javascript', value: `String(output).length ${sign} ${chars}` };
}
