import { digestOf } from '../evidence/digest.ts';
import { isPrompt, promptNameOf, type ServingState } from '../evidence/ledger.ts';
import { withoutTwin } from './ledger-component.ts';
import { kindOf, type Setting, subjectOf, type Value } from './serving.ts';

/** A serving state that calls can be replayed against. */
export interface Candidate {
  /** Version by prompt name; the empty name is the prompt of a service that names none. */
  readonly prompts: Readonly<Record<string, string>>;
  /** Null: the service's own. */
  readonly model: string | null;
}

/** Each distinct state is rehearsed once an incident. */
export function candidateKey({ prompts, model }: Candidate): string {
  return digestOf({ prompts, model });
}

/** What the ledger says is served: the versions that have a name, and the model that really answers. */
export function candidateOf(state: ServingState): Candidate {
  const prompts = Object.entries(withoutTwin(state)).flatMap(
    ([component, { version }]): [string, string][] =>
      isPrompt(component) && version ? [[promptNameOf(component) ?? '', version]] : [],
  );
  const { served, requested } = state['model'] ?? {};
  return { prompts: Object.fromEntries(prompts), model: served ?? requested ?? null };
}

/**
 * The state in which these settings are as wanted; null where none of them is about a prompt or the model. Policy: where
 * only shares of the traffic move, what is rehearsed is what such a share gets.
 */
export function candidateWith(
  base: Candidate,
  wanted: readonly { setting: Setting; to: Value }[],
): Candidate | null {
  const named = wanted.filter(({ setting }) => kindOf(setting) !== 'split').flatMap(changeIn);
  const changes = named.length > 0 ? named : wanted.flatMap(changeIn);
  if (changes.length === 0) return null;
  return changes.reduce(applied, base);
}

type Change = { model: string } | { prompt: string | null; version: string };

function changeIn({ setting, to }: { setting: Setting; to: Value }): Change[] {
  const subject = subjectOf(setting);
  if (kindOf(setting) === 'split') return subject !== null && Number(to) > 0 ? [armOf(subject)] : [];
  if (typeof to !== 'string') return [];
  if (kindOf(setting) === 'model') return [{ model: to }];
  return kindOf(setting) === 'prompt' ? [{ prompt: subject, version: to }] : [];
}

/** The arm of a split: a model, or PROMPT=VERSION. */
function armOf(subject: string): Change {
  const [, prompt, version] = /^([^=]*)=(.+)$/s.exec(subject) ?? [];
  return prompt === undefined || version === undefined ? { model: subject } : { prompt, version };
}

function applied(base: Candidate, change: Change): Candidate {
  if ('model' in change) return { ...base, model: change.model };
  return { ...base, prompts: { ...base.prompts, [nameIn(base, change.prompt)]: change.version } };
}

/** A prompt without a name and the only one there is are the same one. */
function nameIn({ prompts }: Candidate, prompt: string | null): string {
  const names = Object.keys(prompts);
  const [only] = names;
  if (prompt === null || prompt === '') return names.length === 1 && only !== undefined ? only : '';
  return !names.includes(prompt) && names.length === 1 && only === '' ? '' : prompt;
}

/** What could be served instead, as the configuration has it: `prompt` is a version or NAME=VERSION. */
export function backupOf(
  base: Candidate,
  { model, prompt }: { model?: string | undefined; prompt?: string | undefined },
): Candidate {
  const withModel = model === undefined ? base : applied(base, { model });
  if (prompt === undefined) return withModel;
  const arm = armOf(prompt);
  return applied(withModel, 'model' in arm ? { prompt: null, version: prompt } : arm);
}

/** In short, by what differs from what is served: "v13", "gpt-4o", "v13 on gpt-4o". */
export function candidateName(candidate: Candidate, current: Candidate): string {
  const changed = Object.entries(candidate.prompts).filter(
    ([name, version]) => current.prompts[name] !== version,
  );
  const isOnly = Object.keys(candidate.prompts).length === 1;
  const versions = changed.map(([name, version]) => (isOnly ? version : `${name} ${version}`.trim()));
  const model = candidate.model === current.model ? null : candidate.model;
  if (versions.length === 0) return model ?? 'what is served now';
  return model === null ? versions.join(', ') : `${versions.join(', ')} on ${model}`;
}
