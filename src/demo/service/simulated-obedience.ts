import type { Asker, Obedience } from './obedience.ts';
import type { EmittedCall } from './otlp-calls.ts';
import type { ServedSettings } from './serving-reader.ts';
import {
  ALIAS,
  type Calling,
  callsOver,
  type EmitSpan,
  oneCall,
  PROMPT,
  type Serving,
} from './simulated-calls.ts';
import { answersByModel, type Settings, settingsAtRest, underSettings } from './simulated-settings.ts';

const NOBODY: Asker = { user: '', session: '', endpoint: '' };

/** What the feature answers when the bot serves its settings: each call by what is served to whoever asks. */
export async function obeyingCalls(
  span: EmitSpan,
  parts: Calling,
  obedience: Obedience,
): Promise<EmittedCall[]> {
  await obedience.refresh();
  const usual = await obedience.settingsFor(NOBODY);
  Object.assign(parts.serving, servingBy(usual, { serving: parts.serving, asker: NOBODY }));
  const { alter = (call: EmittedCall) => call, ...when } = span;
  const calls: EmittedCall[] = [];
  const limits: Settings['limits'] = {};
  for (const [index, plain] of callsOver(when, parts).entries()) {
    const asker = askerOf(alter(plain, index));
    const serving = servingBy(await obedience.settingsFor(asker), { serving: parts.serving, asker });
    if (!serving.enabled || !answersByModel(serving.settings)) continue;
    Object.assign(limits, serving.settings.limits);
    const { user, session } = asker;
    calls.push(alter({ ...oneCall(plain.endedAt, { ...parts, serving }), user, session }, index));
  }
  return underSettings({ ...parts.serving.settings, limits }, calls);
}

const askerOf = ({ user = '', session = '', endpoint = '' }: EmittedCall): Asker => ({
  user,
  session,
  endpoint,
});

/** The same as the feature has it of its own. Whom a split gives what is decided already, and the provider moves by itself. */
function servingBy(
  served: ServedSettings,
  { serving: { providerMoved }, asker }: { serving: Serving; asker: Asker },
): Serving {
  const { enabled, prompts, prompt, model, fallback, disclaimer, types, blocked } = served;
  const settings = { ...settingsAtRest(), disclaimer, types, blocked, tokenCap: served.token_cap };
  return {
    prompt: prompts[PROMPT]?.version ?? prompt?.version ?? 'v13',
    pinnedModel: model === null || model === ALIAS ? undefined : model,
    providerMoved,
    enabled,
    settings: { ...settings, fallback: fallback.mode, limits: limitsOf(served, asker) },
  };
}

function limitsOf({ limits }: ServedSettings, { user, session, endpoint }: Asker): Settings['limits'] {
  const named: [string, number | undefined][] = [
    [`user ${user}`, limits.user],
    [`session ${session}`, limits.session],
    [`endpoint ${endpoint}`, limits.endpoint],
  ];
  return Object.fromEntries(named.filter((entry): entry is [string, number] => entry[1] !== undefined));
}
