import { bullets, type Rendered, rendered, section } from './blocks.ts';
import { outsideLine, outsideText } from './outside-text.ts';

/** The post-mortem in short, and what it still lacks: listed, never hidden. */
export function renderPostmortem(postmortem: { summary: string; missing: string[] }): Rendered {
  const missing = postmortem.missing.map((line) => outsideLine(line, 200));
  const state = missing.length === 0 ? 'complete' : `${missing.length} still missing: ${missing.join('; ')}`;
  return rendered(`Post-mortem – ${outsideLine(postmortem.summary, 500)} – ${state}`, [
    section('*Post-mortem*', outsideText(postmortem.summary, 2500)),
    section(bullets('*Still missing*', missing, 12) ?? 'Nothing is missing.'),
  ]);
}
