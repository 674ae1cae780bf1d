import { answersTo, countingAnswers } from '../../decision/characteristic-store.ts';
import { topicsOf } from '../../decision/topics.ts';
import { percent } from '../../detection/amount.ts';
import type { Incident } from '../../incident/incident.ts';
import { inputShape } from '../../sources/call-sample-store.ts';
import { errorCodes, failureKinds, inputsOf, refusalsByPrompt } from '../../sources/failure-store.ts';
import { relevanceIn } from '../../sources/retrieval-store.ts';
import type { About } from '../incident/about-incident.ts';
import { rehearsalConfig } from '../mitigate/rehearsal-config.ts';
import type { Finding, Investigation, Looking } from './investigation.ts';

const CONTEXT_GREW = 1.3;
const MOST_INPUTS = 200;
const LEAST_RELEVANCE_N = 5;
/** Half of the errors, at least. */
const MOSTLY = 0.5;

/** The mean length of contexts before and since; null where calls do not say it. */
export async function contextGrowth(
  flow: Looking,
  { window, baseline }: About,
): Promise<{ before: number; after: number; grew: boolean } | null> {
  const was = await inputShape(flow.db, baseline);
  const is = await inputShape(flow.db, window);
  if (was.meanInputTokens === null || is.meanInputTokens === null) return null;
  const [before = 0, after = 0] = [was.meanInputTokens, is.meanInputTokens].map(Math.round);
  return { before, after, grew: is.meanInputTokens > CONTEXT_GREW * was.meanInputTokens };
}

export const contextLength: Investigation = async (flow, _incident, about) => {
  const found = await contextGrowth(flow, about);
  if (found === null) return { text: 'The calls do not say how long their contexts are.', says: null };
  const text = `Average context ${found.before} input tokens before, ${found.after} after it began.`;
  return { text, says: found.grew ? 'yes' : 'no' };
};

interface Errors {
  codes: { error: string; n: number }[];
  errors: number;
  calls: number;
}

async function errorsOf(flow: Looking, about: About): Promise<Errors> {
  const codes = await errorCodes(flow.db, about.window);
  const { calls } = await failureKinds(flow.db, { ...about.window, ...about.bar });
  return { codes, errors: codes.reduce((sum, { n }) => sum + n, 0), calls };
}

function codesLine({ codes, errors, calls }: Errors): string {
  if (errors === 0) return `No errors in ${calls} calls.`;
  const shown = codes.slice(0, 4).map(({ error, n }) => `${error.slice(0, 60)} ${n}`);
  return `${errors} errors in ${calls} calls: ${shown.join(', ')}.`;
}

export const errorCodesFound: Investigation = async (flow, _incident, about) => ({
  text: codesLine(await errorsOf(flow, about)),
  says: null,
});

const RATE_LIMIT = /\b429\b|rate.?limit|too.?many.?requests|quota|throttl|overloaded|\b529\b/i;
const SCHEMA =
  /schema|valid(?:ation|ator)|parse|json|deserial|unexpected.?(?:token|field|type)|missing.?(?:field|parameter)|\b422\b|type.?error/i;

/** Policy: yes when at least half of the errors are of that kind; no when none is, or there are no errors. */
async function errorsLike(
  flow: Looking,
  about: About,
  kind: { pattern: RegExp; words: string },
): Promise<Finding> {
  const found = await errorsOf(flow, about);
  const n = found.codes.filter(({ error }) => kind.pattern.test(error)).reduce((sum, one) => sum + one.n, 0);
  if (found.errors === 0) return { text: codesLine(found), says: 'no' };
  const share = n / found.errors;
  const text = `${percent(share)} of errors are ${kind.words}. ${codesLine(found)}`;
  return { text, says: share >= MOSTLY ? 'yes' : n === 0 ? 'no' : null };
}

export const rateLimits: Investigation = (flow, _incident, about) =>
  errorsLike(flow, about, { pattern: RATE_LIMIT, words: 'rate limits' });

export const schemaErrors: Investigation = async (flow, _incident, about) => {
  const found = await errorsLike(flow, about, { pattern: SCHEMA, words: 'about a schema' });
  const { kinds, calls } = await failureKinds(flow.db, { ...about.window, ...about.bar });
  const broken = kinds.find(({ kind }) => kind === 'format')?.n ?? 0;
  if (broken === 0) return found;
  const isMost = calls > 0 && broken / calls >= 0.05;
  return {
    text: `${found.text} ${broken} of ${calls} answers break the format.`,
    says: isMost ? 'yes' : found.says,
  };
};

/** Policy: relevance fell when the failing queries' best chunk is, on average, worse by a tenth than before or elsewhere. */
export async function relevance(
  flow: Looking,
  about: About,
): Promise<{ failing: number; sound: number; n: number; fell: boolean } | null> {
  const during = await relevanceIn(flow.db, { ...about.window, ...about.bar });
  const before = await relevanceIn(flow.db, { ...about.baseline, ...about.bar });
  const against = before.sound.n >= LEAST_RELEVANCE_N ? before.sound : during.sound;
  const { failing } = during;
  if (failing.n < LEAST_RELEVANCE_N || failing.best === null || against.best === null) return null;
  return {
    failing: failing.best,
    sound: against.best,
    n: failing.n,
    fell: failing.best < 0.9 * against.best,
  };
}

export const retrievedChunks: Investigation = async (flow, _incident, about) => {
  const found = await relevance(flow, about);
  if (found === null) {
    const text =
      'The failing calls carry no relevance scores (`llm_incident.retrieval.score`). Open their chunks by hand.';
    return { text, says: null };
  }
  const { failing, sound, n, fell } = found;
  const compared = `Best chunk of failing queries scores ${failing.toFixed(2)} on average (n = ${n}), of sound ones ${sound.toFixed(2)}`;
  return {
    text: `${compared}: ${fell ? 'less relevant' : 'as relevant as usual'}.`,
    says: fell ? 'no' : 'yes',
  };
};

export const refusalsFound: Investigation = async (flow, _incident, about) => {
  const now = (await refusalsByPrompt(flow.db, about.window)).filter(({ answered }) => answered > 0);
  const was = await refusalsByPrompt(flow.db, about.baseline);
  if (now.length === 0) return { text: 'No answers to look at since it began.', says: null };
  const before =
    was.reduce((sum, { refused }) => sum + refused, 0) /
    Math.max(
      1,
      was.reduce((sum, { answered }) => sum + answered, 0),
    );
  const shares = now.map(({ prompt, answered, refused }) => ({
    prompt,
    answered,
    refused,
    share: refused / answered,
  }));
  const [most] = shares.toSorted((a, b) => b.share - a.share);
  const others = shares.filter((one) => one !== most && one.answered >= 20);
  const stands =
    most !== undefined && others.length > 0 && others.every(({ share }) => most.share >= 2 * share + 0.05);
  const lines = shares.slice(0, 4).map((one) => `${one.prompt} ${percent(one.share)} of ${one.answered}`);
  const text = `Refusals: ${lines.join('; ')}; ${percent(before)} the day before.`;
  return { text, says: shares.length === 1 ? null : stands ? 'yes' : 'no' };
};

/** Texts of a private incident stay where their access is checked. */
const mayShowTexts = (incident: Incident) => !incident.private;

/** Failing inputs to be tried, and what came of it where they were replayed already. */
export const affectedPrompts: Investigation = async (flow, incident, about) => {
  const kept = countingAnswers(await answersTo(flow.db, incident.id)).get('reproducible')?.evidence;
  const replays = (kept?.evidence['replays'] ?? []) as { verdict: string }[];
  if (kept != null && replays.length > 0) {
    const failed = replays.filter(({ verdict }) => verdict === 'fail').length;
    return { text: kept.text, says: failed === replays.length ? 'yes' : failed === 0 ? 'no' : null };
  }
  const failing = await inputsOf(flow.db, { ...about.window, ...about.bar, which: 'bad', limit: 3 });
  if (failing.length === 0) return { text: 'No failing input with a text is kept.', says: null };
  const how =
    rehearsalConfig(flow, incident) === null
      ? 'Send them by hand'
      : '`/llm-incident characterise reproduce` replays three for you';
  if (!mayShowTexts(incident)) return { text: `${how}; their texts are not shown here.`, says: null };
  const shown = failing.map(({ input }) => `“${input.replace(/\s+/g, ' ').slice(0, 80)}”`);
  return { text: `Failing: ${shown.join(', ')}. ${how}.`, says: null };
};

/** What failing inputs are about and sound ones are not. */
export async function failingTopics(flow: Looking, { window, baseline, bar }: About) {
  const failing = await inputsOf(flow.db, { ...window, ...bar, which: 'bad', limit: MOST_INPUTS });
  const during = await inputsOf(flow.db, { ...window, ...bar, which: 'sound', limit: MOST_INPUTS });
  const before = await inputsOf(flow.db, { ...baseline, ...bar, which: 'sound', limit: MOST_INPUTS });
  const sound = [...during, ...before].map(({ input }) => input);
  const topics = topicsOf(
    failing.map(({ input }) => input),
    sound,
  );
  return { topics, failing: failing.length, sound: sound.length };
}

export const topicCoverage: Investigation = async (flow, incident, about) => {
  const { topics, failing, sound } = await failingTopics(flow, about);
  if (failing === 0) return { text: 'No failing input with a text is kept.', says: null };
  if (topics.length === 0)
    return {
      text: `The ${failing} failing inputs share no topic that ${sound} others do not have.`,
      says: null,
    };
  if (!mayShowTexts(incident))
    return {
      text: `The failing inputs share ${topics.length} words that others lack; they are not shown here.`,
      says: null,
    };
  const words = topics.map(
    ({ word, failing: n, sound: m }) => `${word} (${n} of ${failing}, ${m} of ${sound} others)`,
  );
  return {
    text: `Failing inputs are about: ${words.join(', ')}. Check that your knowledge base covers them.`,
    says: null,
  };
};
