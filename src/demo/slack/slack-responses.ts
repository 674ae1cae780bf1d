import { blockKitProblems } from '../../slack/block-kit-limits.ts';
import { freshTs } from './slack-events.ts';
import { deleteMessage, postMessage, updateMessage } from './slack-messages.ts';
import type { ResponseContext } from './slack-response-urls.ts';
import type { SlackCore } from './slack-rooms.ts';
import { type Ephemeral, type Fields, isRecord, list, SLACK_IDS, text, truthy } from './slack-shapes.ts';

/** Takes a POST to a response_url; answers as Slack would. */
export async function takeResponse(
  core: SlackCore,
  id: string,
  body: unknown,
): Promise<{ status: number; body: string }> {
  const context = core.responseUrls.use(id);
  if (typeof context === 'string')
    return { status: 404, body: JSON.stringify({ ok: false, error: context }) };
  const problems = await showAnswer(core, { context, via: 'response_url' }, isRecord(body) ? body : {});
  return problems.length === 0 ? { status: 200, body: 'ok' } : { status: 400, body: 'invalid_blocks' };
}

/** Shows an answer to its reader, in the channel or in place of the original; returns why it could not. */
export async function showAnswer(
  core: SlackCore,
  to: { context: ResponseContext; via: Ephemeral['via'] },
  body: Fields,
): Promise<string[]> {
  const { context } = to;
  const original = context.message;
  const problems = body['blocks'] === undefined ? [] : blockKitProblems(body['blocks'], 'message');
  if (problems.length === 0 && original && truthy(body['delete_original'])) {
    await deleteMessage(core, { actor: SLACK_IDS.botUser, args: { ...original } });
    return problems;
  }
  if (problems.length === 0 && original && truthy(body['replace_original'])) {
    await updateMessage(core, { actor: SLACK_IDS.botUser, args: { ...original, ...content(body) } });
    return problems;
  }
  if (problems.length === 0 && body['response_type'] === 'in_channel') {
    await postMessage(core, {
      actor: SLACK_IDS.botUser,
      args: { channel: context.channel, ...content(body) },
    });
    return problems;
  }
  const blocks = list(body['blocks']);
  if (text(body['text']) === '' && blocks.length === 0) return problems;
  core.ephemerals.push({
    via: to.via,
    userId: context.userId,
    channel: context.channel,
    ts: freshTs(),
    text: text(body['text']),
    blocks,
    problems,
  });
  return problems;
}

function content(body: Fields): Fields {
  return { text: body['text'], blocks: body['blocks'], attachments: body['attachments'] };
}
