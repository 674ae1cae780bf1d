import type { Write } from './slack-messages.ts';
import { findRoom, messageAt, messageEvent, type SlackCore } from './slack-rooms.ts';
import { type Fields, isRecord, list, type MessageRef, text } from './slack-shapes.ts';

/** What somebody drops into a channel. */
export interface SharedByPerson {
  name: string;
  bytes: Buffer;
  text?: string;
  threadTs?: string;
}

interface Shared {
  actor: string;
  channel: string;
  file: SharedByPerson;
}

/** files.completeUploadExternal for the bot or a person; Slack shares the file a moment later, so the answer has no `shares` yet. */
export async function completeUpload(core: SlackCore, { actor, args }: Write): Promise<Fields> {
  const answer = await core.upstream.call(actor, 'files.completeUploadExternal', args);
  if (answer['ok'] !== true) return answer;
  const channel = text(args['channel_id']);
  const ts = sharedAt(answer, channel);
  const room = channel ? await findRoom(core, channel) : undefined;
  const message = ts ? await messageAt(core, channel, ts) : undefined;
  if (room && message) core.events.emit(messageEvent(room, message));
  const files = list(answer['files']).map(({ shares: _shares, ...file }) => file);
  return { ...answer, files };
}

/** Where the upload was shared: the message with it. */
function sharedAt(answer: Fields, channel: string): string {
  const first = list(answer['files'])[0];
  const shares = isRecord(first?.['shares']) ? Object.values(first['shares']).filter(isRecord) : [];
  return text(shares.flatMap((share) => list(share[channel])).at(-1)?.['ts']);
}

/** A person shares a file. */
export function shareFile(core: SlackCore, shared: Shared): Promise<MessageRef> {
  return core.activity.track(uploadAndShare(core, shared));
}

/** The three steps of an upload. */
async function uploadAndShare(core: SlackCore, { actor, channel, file }: Shared): Promise<MessageRef> {
  const { name: filename, bytes } = file;
  const wanted = { filename, length: bytes.length };
  const begun = await core.upstream.call(actor, 'files.getUploadURLExternal', wanted);
  const id = text(begun['file_id']);
  const body = new Uint8Array(bytes);
  await core.upstream.forward(new URL(text(begun['upload_url'])).pathname, { method: 'POST', body });
  const args = {
    files: [{ id, title: filename }],
    channel_id: channel,
    ...(file.text === undefined ? {} : { initial_comment: file.text }),
    ...(file.threadTs === undefined ? {} : { thread_ts: file.threadTs }),
  };
  const done = await completeUpload(core, { actor, args });
  if (done['ok'] !== true) throw new Error(`Slack refused ${filename}: ${String(done['error'])}`);
  const { file: told } = await core.upstream.call('observer', 'files.info', { file: id });
  return { channel, ts: sharedAt({ files: [told] }, channel) };
}
