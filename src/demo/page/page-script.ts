/** The page's script: asks twice a second what is new, and tells the server what a person did. */
export const SCRIPT = `'use strict';
const $ = (id) => document.getElementById(id);
let channel = document.body.dataset.channel, version = '', modalShown = '', thread = '', busy = false;
const role = () => $('as').value;

async function refresh() {
  const query = new URLSearchParams({ as: role(), channel, v: version });
  const answer = await fetch('/state?' + query).catch(() => null);
  if (!answer || !answer.ok) return toast('The demo does not answer. Was it stopped?');
  const state = await answer.json();
  set('bar', state.bar); set('elsewhere', state.elsewhere);
  if (!state.view) return;
  version = state.v; channel = state.view.channel;
  set('channels', state.view.channels);
  const box = $('messages'), atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  if (set('messages', state.view.messages) && atEnd) box.scrollTop = box.scrollHeight;
  showModal(state.view.modal);
}

function set(id, html) {
  const box = $(id);
  if (box.shown === html) return false;
  box.shown = html; box.innerHTML = html;
  return true;
}

function showModal(html) {
  if (html === modalShown) return;
  modalShown = html; $('form').innerHTML = html;
  if (html && !$('form').open) $('form').showModal();
  if (!html && $('form').open) $('form').close();
}

async function act(what) {
  const answer = await fetch('/act', { method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ as: role(), channel, ...what }) }).catch(() => null);
  const said = answer ? await answer.json() : { error: 'The demo does not answer. Was it stopped?' };
  toast(said.error || said.note || '');
  version = '';
  await refresh();
  return said;
}

let toastTimer;
function toast(text) {
  $('toast').textContent = text; clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $('toast').textContent = ''; }, 7000);
}

function go(id) {
  channel = id; version = ''; setThread('');
  history.replaceState(null, '', '?' + new URLSearchParams({ as: role(), channel }));
  refresh().then(() => { $('messages').scrollTop = $('messages').scrollHeight; if (innerWidth <= 720) $('main').scrollIntoView(); });
}

function setThread(ts) {
  thread = ts;
  $('thread').textContent = ts ? 'Replying in a thread. Press Escape to leave it.' : '';
  if (ts) $('text').focus();
}

function confirmed({ title, confirm, yes, no }) {
  if (!confirm) return Promise.resolve(true);
  const box = $('sure');
  box.querySelector('h2').textContent = title;
  box.querySelector('p').textContent = confirm.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
  const [agree, refuse] = box.querySelectorAll('button');
  agree.textContent = yes || 'Yes'; refuse.textContent = no || 'No';
  box.returnValue = 'no';
  box.showModal();
  return new Promise((resolve) => box.addEventListener('close', () => resolve(box.returnValue === 'yes'), { once: true }));
}

async function click(target, choice) {
  const { at, ts, action } = target.dataset;
  if (!(await confirmed(target.dataset))) return;
  target.disabled = true;
  await act({ act: 'click', at, ts, action, choice });
  target.disabled = false;
}

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-channel]');
  if (link) { event.preventDefault(); return go(link.dataset.channel); }
  const button = event.target.closest('button[data-act]');
  if (!button) return;
  const what = button.dataset.act;
  if (what === 'thread') return setThread(button.dataset.thread);
  if (what === 'click') return click(button);
  act({ act: what, view: button.dataset.view, at: button.dataset.at });
});
document.addEventListener('change', (event) => {
  if (event.target.id === 'as') go(channel);
  if (event.target.matches('select[data-act=click]') && event.target.value) click(event.target, event.target.value);
});
document.addEventListener('keydown', (event) => { if (event.key === 'Escape') setThread(''); });
document.addEventListener('submit', async (event) => {
  if (event.target.id === 'say') {
    event.preventDefault();
    const text = $('text').value.trim();
    if (!text || busy) return;
    busy = true;
    const said = await act({ act: 'say', text, thread });
    busy = false;
    if (!said.error) { $('text').value = ''; setThread(''); }
    $('messages').scrollTop = $('messages').scrollHeight;
  }
  if (event.target.id === 'modal') {
    event.preventDefault();
    const entries = {};
    for (const input of event.target.elements) {
      if (!input.name) continue;
      if (input.type === 'checkbox') entries[input.name] = [entries[input.name], input.checked && input.value].filter(Boolean).join(',');
      else if (input.dataset.kind === 'datetime') entries[input.name] = input.value ? String(Date.parse(input.value + 'Z') / 1000) : '';
      else entries[input.name] = input.value;
    }
    const said = await act({ act: 'submit', view: event.target.dataset.view, entries });
    for (const box of document.querySelectorAll('[data-problem]')) box.textContent = (said.errors || {})[box.dataset.problem] || '';
  }
});
$('form').addEventListener('cancel', (event) => {
  event.preventDefault();
  const form = $('modal');
  if (form) act({ act: 'dismiss', view: form.dataset.view });
});
setInterval(() => { if (!document.hidden) refresh(); }, 600);
refresh().then(() => { $('messages').scrollTop = $('messages').scrollHeight; });
`;
