import { createEmulator } from 'emulate';
import { EVERY_SCOPE } from './slack-scopes.ts';
import { type Fields, isRecord, list, SLACK_IDS, text } from './slack-shapes.ts';

/** A person to seed; `name` is a role, never a real person. */
export interface Person {
  name: string;
  email?: string;
}

/** Somebody in the workspace, with the id that the emulator gave them. */
export interface Member {
  id: string;
  name: string;
  email: string;
}

/** The emulator behind the proxy: state and most answers come from it. */
export interface Upstream {
  members: Map<string, Member>;
  /** Calls a method as the bot, as a person's id, or as the all-seeing 'observer' (the bot with every scope). */
  call(actor: string, method: string, args: Fields): Promise<Fields>;
  /** Passes a file upload or download through. */
  forward(path: string, init: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

// The last is a name of emulate's own for channels:manage.
const ALL_SCOPES = [...EVERY_SCOPE, 'channels:write'];

// emulate answers 403 after 4,999 calls per token and hour, so each actor owns several identical tokens.
const CALLS_PER_TOKEN = 4_000;
const TOKENS = { bot: 40, observer: 40, person: 10 };

/** Starts emulate's Slack service; `publicUrl` is what upload and file links point to. */
export async function startUpstream(options: {
  publicUrl: string;
  people: Person[];
  channels: string[];
  botScopes: readonly string[];
}): Promise<Upstream> {
  const emulator = await createEmulator({ service: 'slack', port: 0, seed: { slack: seedFor(options) } });
  const used = new Map<string, number>();
  const names = new Map<string, string>();
  const tokenOf = (actor: string): string => {
    const owner = names.get(actor) ?? actor;
    const count = used.get(owner) ?? 0;
    used.set(owner, count + 1);
    return `${owner}-${Math.floor(count / CALLS_PER_TOKEN)}`;
  };
  const call = async (actor: string, method: string, args: Fields): Promise<Fields> => {
    const response = await fetch(`${emulator.url}/api/${method}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${tokenOf(actor)}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: formBody(args),
    });
    if (response.status === 404) return { ok: false, error: 'unknown_method' };
    if (response.status !== 200) throw new Error(`emulate answered ${response.status} to ${method}`);
    // Not emulate's own `baseUrl`: with it, `emulator.url` hides the port that was really taken.
    return JSON.parse(
      (await response.text()).replaceAll(`${emulator.url}/`, `${options.publicUrl}/`),
    ) as Fields;
  };
  const forward = (path: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (headers.has('authorization')) headers.set('authorization', `Bearer ${tokenOf('observer')}`);
    return fetch(`${emulator.url}${path}`, { ...init, headers });
  };
  const members = membersOf(await call('observer', 'users.list', { limit: 1000 }), options.people);
  for (const member of members.values()) names.set(member.id, member.name);
  names.set(SLACK_IDS.botUser, 'bot');
  return { members, call, forward, close: () => emulator.close() };
}

function membersOf(answer: Fields, people: Person[]): Map<string, Member> {
  const seeded = list(answer['members']).filter((user) =>
    people.some((person) => person.name === user['name']),
  );
  const members = seeded.map((user): Member => {
    const profile = isRecord(user['profile']) ? user['profile'] : {};
    return { id: text(user['id']), name: text(user['name']), email: text(profile['email']) };
  });
  return new Map(members.map((member) => [member.name, member]));
}

function seedFor(options: { people: Person[]; channels: string[]; botScopes: readonly string[] }): Fields {
  const bot = {
    user: SLACK_IDS.botUser,
    bot_id: SLACK_IDS.bot,
    bot_user_id: SLACK_IDS.botUser,
    app_id: SLACK_IDS.app,
  };
  const tokens = (owner: string, count: number, rest: Fields): Fields[] =>
    Array.from({ length: count }, (_, index) => ({ token: `${owner}-${index}`, ...rest }));
  return {
    team: { name: 'Demo', domain: SLACK_IDS.domain },
    strict_scopes: true,
    users: options.people.map((person) => ({
      name: person.name,
      real_name: person.name,
      email: person.email ?? `${person.name}@example.test`,
    })),
    channels: options.channels.map((name) => ({ name })),
    oauth_apps: [
      {
        client_id: '1.1',
        client_secret: 'demo',
        app_id: SLACK_IDS.app,
        name: 'LLM Incident',
        redirect_uris: [],
        scopes: options.botScopes,
        bot_id: SLACK_IDS.bot,
        bot_user_id: SLACK_IDS.botUser,
        bot_name: 'llm-incident',
      },
    ],
    tokens: [
      ...tokens('bot', TOKENS.bot, { ...bot, type: 'bot', scopes: options.botScopes }),
      ...tokens('observer', TOKENS.observer, { ...bot, type: 'bot', scopes: ALL_SCOPES }),
      ...options.people.flatMap((person) =>
        tokens(person.name, TOKENS.person, { user: person.name, type: 'user', scopes: ALL_SCOPES }),
      ),
    ],
  };
}

function formBody(args: Fields): URLSearchParams {
  const body = new URLSearchParams();
  for (const [key, value] of Object.entries(args)) {
    if (value === undefined || value === null || key === 'token') continue;
    body.set(key, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return body;
}
