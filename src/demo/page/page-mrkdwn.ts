type NameOf = (userId: string) => string;

/** Text as HTML shows it, whatever it holds; safe in attributes as well. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const PIECE = /\n?```([\s\S]*?)```\n?|`([^`\n]+)`|<([^<>\n]+)>/g;

/** Slack's mrkdwn as HTML: code, links, mentions and dates, then bold, italics and strikes in what is left. */
export function mrkdwnHtml(mrkdwn: string, nameOf: NameOf): string {
  let html = '';
  let from = 0;
  for (const match of mrkdwn.matchAll(PIECE)) {
    const [whole, fence, code, token] = match;
    html += styled(mrkdwn.slice(from, match.index));
    if (fence !== undefined) html += `<pre>${escapeHtml(plain(fence.replace(/^\n|\n$/g, '')))}</pre>`;
    else if (code !== undefined) html += `<code>${escapeHtml(plain(code))}</code>`;
    else html += tokenHtml(token ?? '', nameOf);
    from = match.index + whole.length;
  }
  return html + styled(mrkdwn.slice(from));
}

/** What Slack sends as entities, as text. */
function plain(text: string): string {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

function styled(text: string): string {
  const mark = (sign: string) =>
    new RegExp(`(?<![\\p{L}\\p{N}])[${sign}](\\S(?:[^\\n]*?\\S)?)[${sign}](?![\\p{L}\\p{N}])`, 'gu');
  return escapeHtml(plain(text))
    .replace(mark('*'), '<strong>$1</strong>')
    .replace(mark('_'), '<em>$1</em>')
    .replace(mark('~'), '<s>$1</s>')
    .replaceAll('\n', '<br>');
}

function tokenHtml(token: string, nameOf: NameOf): string {
  const [target = '', label] = token.split('|');
  if (target.startsWith('@')) return `<span class="mention">@${escapeHtml(nameOf(target.slice(1)))}</span>`;
  if (target.startsWith('#')) {
    const id = escapeHtml(target.slice(1));
    return `<a href="?channel=${id}" data-channel="${id}">#${escapeHtml(label ?? target.slice(1))}</a>`;
  }
  if (target.startsWith('!date^')) return dateHtml(target, label ?? '');
  if (target.startsWith('!'))
    return `<span class="mention">@${escapeHtml(target.slice(1).replace('subteam^', ''))}</span>`;
  if (!/^(https?:\/\/|mailto:)/.test(target)) return escapeHtml(plain(`<${token}>`));
  return `<a href="${escapeHtml(plain(target))}" rel="noopener noreferrer" target="_blank">${escapeHtml(plain(label ?? target))}</a>`;
}

/** The simulated clock is in UTC, so its dates stay there. */
function dateHtml(target: string, fallback: string): string {
  const at = new Date(Number(target.split('^')[1]) * 1000);
  if (Number.isNaN(at.getTime())) return escapeHtml(plain(fallback));
  const iso = at.toISOString();
  return `<time datetime="${iso}" title="${iso}">${iso.slice(11, 16)} UTC</time>`;
}
