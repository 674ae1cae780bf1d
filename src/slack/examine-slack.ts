import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Config } from '../config/config.ts';
import { type Finding, found, note, ok, problem } from '../flow/doctor/finding.ts';
import type { ExaminedSlack } from '../flow/doctor/run-doctor.ts';
import type { Chat } from '../flow/ports.ts';
import { slackChat } from './chat.ts';
import { createWebApi, type WebApi } from './web-api.ts';

const MANIFEST = join(import.meta.dirname, '../../manifest.yml');
const manifest = z.object({ oauth_config: z.object({ scopes: z.object({ bot: z.array(z.string()) }) }) });

const ABOUT = 'Slack';

/** The token, and the scopes that it was granted against those of the manifest. */
export function examineSlack(api: WebApi, declared: readonly string[]): Promise<Finding[]> {
  return found(ABOUT, 'Check SLACK_BOT_TOKEN, and install the app anew from manifest.yml.', async () => {
    const me = await api.call('auth.test', (client) => client.auth.test());
    const granted = me.response_metadata?.scopes;
    const token = ok(ABOUT, `the token is that of ${me.user ?? 'the bot'} in ${me.team ?? 'the workspace'}`);
    if (granted === undefined) return [token, note(ABOUT, 'which scopes it has could not be seen')];
    const missing = declared.filter((scope) => !granted.includes(scope));
    return missing.length === 0
      ? [token, ok(ABOUT, `all ${declared.length} scopes of the manifest are granted`)]
      : [
          token,
          problem(
            ABOUT,
            `not granted: ${missing.join(', ')}. Update the app from manifest.yml and install it anew.`,
          ),
        ];
  });
}

/** Channels that the configuration names: the bot must be in them to speak. */
export async function examineChannels(api: WebApi, ids: readonly string[]): Promise<Finding[]> {
  const looked = await Promise.all(
    [...new Set(ids)].map((id) =>
      found(`channel ${id}`, 'Correct the id, or invite the bot: /invite @llm-incident.', async () => {
        const { channel } = await api.call('conversations.info', (client) =>
          client.conversations.info({ channel: id }),
        );
        return channel?.is_member === true
          ? [ok(`channel ${id}`, `#${channel.name ?? id}, the bot is in it`)]
          : [problem(`channel ${id}`, 'the bot is not in it: /invite @llm-incident there')];
      }),
    ),
  );
  return looked.flat();
}

/** Slack as a configuration names it; nothing is asked before `examine`. */
export function slackToExamine({ env, file }: Config): { examine(): Promise<ExaminedSlack>; chat: Chat } {
  const api = createWebApi({ token: env.SLACK_BOT_TOKEN, slackApiUrl: env.SLACK_API_URL });
  const { bot } = manifest.parse(parse(readFileSync(MANIFEST, 'utf8'))).oauth_config.scopes;
  const channels = [file.ops_channel, ...Object.values(file.digests)].filter((id) => id !== undefined);
  return {
    examine: async () => {
      const access = await examineSlack(api, bot);
      // With scopes missing the token still works.
      const isIn = access.some(({ level }) => level === 'ok');
      return { findings: isIn ? [...access, ...(await examineChannels(api, channels))] : access, isIn };
    },
    chat: slackChat(api, { botUserId: '' }),
  };
}
