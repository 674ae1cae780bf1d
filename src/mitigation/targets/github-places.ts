import { z } from 'zod';
import type { GithubPlace } from '../../config/targets.ts';
import { ExternalError } from '../../errors.ts';
import { FALLBACKS, kindOf, type Setting, type Value } from '../serving.ts';
import { encodedParts } from './github-connection.ts';
import { refusal, retold } from './vendor-errors.ts';
import { type Operation, unless404 } from './vendor-request.ts';
import { type Change, refusesPercent, refusesSwitch } from './vendor-target.ts';

const variable = z.object({ value: z.string() });
const file = z.object({
  type: z.literal('file'),
  encoding: z.string(),
  content: z.string(),
  sha: z.string(),
});
const blob = z.object({ encoding: z.literal('base64'), content: z.string() });

/** Stands for "no limit" and "no text", which a variable cannot hold. */
const NONE = 'none';
const BLOB_ID = /^[0-9a-f]{40}$/;
const STALE = /does not match|but expected/i;

export interface Repository {
  /** "/repos/OWNER/NAME". */
  root: string;
  branch: string;
}

export type At = Repository & { place: GithubPlace; setting: Setting };

/** Undefined where nothing stands there, or something that is no such value. */
export async function readPlace(operation: Operation, at: At): Promise<Value | undefined> {
  const { place, setting } = at;
  if (place.variable !== undefined) {
    const found = await unless404(operation.get(variablePath(at), variable));
    return found === undefined ? undefined : settingValue(setting, found.value);
  }
  const found = await readFile(operation, at, place.file as string);
  if (found === undefined) return undefined;
  return place.holds === 'text' ? found.sha : settingValue(setting, found.text);
}

/**
 * Policy: a file is replaced only while it is the one that was read; GitHub compares. Variables have no such thing, so
 * that one is compared with what was read just before.
 */
export async function writePlace({ step, planHash, operation }: Change, at: At): Promise<void> {
  const { place } = at;
  if (place.variable !== undefined) {
    const body = { name: place.variable, value: textOf(step.to) };
    await operation.send({ method: 'PATCH', path: variablePath(at), body });
    return;
  }
  const path = place.file as string;
  const found = await readFile(operation, at, path);
  const isText = place.holds === 'text';
  const body = {
    message: `${step.setting}: ${step.from} → ${step.to}\n\nllm-incident, plan ${planHash}`,
    content: isText ? await blobOf(operation, at, String(step.to)) : base64Of(`${textOf(step.to)}\n`),
    sha: found?.sha,
    branch: at.branch,
  };
  await operation.send({ method: 'PUT', path: contentsPath(at, path), body }).catch(explainConflict);
}

/** Undefined where there is no such file, or it is too large to be answered in one piece. */
export async function readFile(
  operation: Operation,
  at: Repository,
  path: string,
): Promise<{ text: string; sha: string } | undefined> {
  const found = await unless404(operation.get(contentsPath(at, path), file, { ref: at.branch }));
  if (found?.encoding !== 'base64') return undefined;
  return { text: Buffer.from(found.content, 'base64').toString('utf8'), sha: found.sha };
}

export function refusesAt(place: GithubPlace, setting: Setting, to: Value): string | null {
  const kind = kindOf(setting);
  if (kind === 'enabled' || kind === 'type' || kind === 'blocked') return refusesSwitch(to);
  if (kind === 'split') return refusesPercent(to);
  if (kind === 'fallback') return FALLBACKS.some((one) => one === to) ? null : `${to} is no fallback`;
  if (kind === 'limit' || kind === 'token-cap') {
    return to === null || (typeof to === 'number' && to >= 0) ? null : `${to} is no limit`;
  }
  if (to === null) return kind === 'disclaimer' ? null : `${setting} cannot be nothing`;
  if (place.holds === 'text' && !BLOB_ID.test(String(to))) return `${to} is no blob id of 40 hex digits`;
  return typeof to === 'string' && to.trim() === to && to !== '' ? null : `${to} cannot stand there`;
}

export function textOf(value: Value): string {
  return value === null ? NONE : String(value);
}

function settingValue(setting: Setting, said: string): Value | undefined {
  const text = said.trim();
  const kind = kindOf(setting);
  if (text === '') return undefined;
  if (kind === 'enabled' || kind === 'type' || kind === 'blocked') {
    return text === 'true' || text === 'false' ? text === 'true' : undefined;
  }
  if (kind === 'fallback') return FALLBACKS.find((one) => one === text);
  if (text === NONE) return null;
  if (kind !== 'split' && kind !== 'limit' && kind !== 'token-cap') return text;
  return Number.isFinite(Number(text)) ? Number(text) : undefined;
}

async function blobOf(operation: Operation, at: Repository, sha: string): Promise<string> {
  const found = await unless404(operation.get(`${at.root}/git/blobs/${sha}`, blob));
  if (found === undefined) throw refusal('GitHub', '404', `there is no blob ${sha}; nothing was sent`);
  return found.content.replace(/\s/g, '');
}

/** A file that changed in between is looked at again; a rule of the repository is not to be argued with. */
function explainConflict(thrown: unknown): never {
  if (thrown instanceof ExternalError && thrown.code === '409' && STALE.test(thrown.message)) {
    throw retold(thrown, { message: thrown.message, retryable: true });
  }
  throw thrown;
}

export const variablePath = ({ root, place }: At) =>
  `${root}/actions/variables/${encodeURIComponent(place.variable as string)}`;
const contentsPath = ({ root }: Repository, path: string) => `${root}/contents/${encodedParts(path)}`;
const base64Of = (text: string) => Buffer.from(text, 'utf8').toString('base64');
