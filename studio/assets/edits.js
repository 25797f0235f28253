// Edits: collected, shown as a difference, and committed as one transaction that
// fails where what the page showed has changed.

import {page, mayWrite, el, say, show, close, parse, rowsOf} from './page.js';
import {move} from './keys.js';
import {reload, startWatch, stopWatch} from './live.js';

// edits are the changes of records by key: set and old have JSON by field, was
// what the user saw where others have changed that since.
const edits = new Map();
const inserts = [];
const panel = document.getElementById('changes');

export const pending = () => edits.size + inserts.length;

// editing reports whether a value is being typed.
export const editing = () => document.querySelector('#grid td input') !== null;

// entryOf returns the edits of a record, keep those that are some.
const entryOf = key => edits.get(key) ?? {set: {}, old: {}, was: {}};

function keep(key, entry) {
	if (entry.delete || Object.keys(entry.set).length) edits.set(key, entry);
	else edits.delete(key);
	draw();
}

// shown returns a value as it is edited: a text without its quotes.
function shown(json) {
	const v = parse(json);
	return typeof v === 'string' ? v : json;
}

export function edit(td) {
	if (!mayWrite || !td?.matches?.('td[data-field]') || td.querySelector('input')) return;
	if ('fixed' in td.dataset) return say('the key of a record cannot be changed');
	if (!td.dataset.json) return say('this value is too long to be edited here');
	const key = td.closest('tr').dataset.key, old = td.dataset.json, now = td.dataset.now ?? old;
	const isText = typeof parse(old) === 'string';
	const before = [...td.childNodes];
	const input = el('input', {value: shown(now), ariaLabel: td.dataset.field, spellcheck: false});
	td.replaceChildren(input);
	input.focus();
	input.select();
	let over = false;
	const end = take => {
		if (over) return;
		over = true;
		const json = isText ? JSON.stringify(input.value) : input.value.trim();
		td.replaceChildren(...before);
		td.focus();
		if (!take || json === now) return;
		if (parse(json) === undefined) return say(td.dataset.field + ' wants JSON, such as 5, true, "text" or null');
		const entry = entryOf(key);
		if (json === old) delete entry.set[td.dataset.field];
		else [entry.set[td.dataset.field], entry.old[td.dataset.field]] = [json, old];
		mark(td, json);
		keep(key, entry);
	};
	input.addEventListener('keydown', e => {
		if (e.key === 'Enter') end(true);
		else if (e.key === 'Escape') end(false);
		else if (e.key === 'Tab') { end(true); move(0, e.shiftKey ? -1 : 1); }
		else return;
		e.preventDefault();
		e.stopPropagation();
	});
	input.addEventListener('blur', () => end(true));
}

// mark shows an edited value in its cell.
function mark(td, json) {
	if (json === td.dataset.json) delete td.dataset.now;
	else td.dataset.now = json;
	td.textContent = json === 'null' ? 'nil' : shown(json);
	td.classList.toggle('edited', 'now' in td.dataset);
}

export function remove(key) {
	if (!mayWrite || !key) return;
	const entry = entryOf(key);
	entry.delete = !entry.delete;
	for (const tr of rowsOf(key)) tr.classList.toggle('gone', entry.delete);
	keep(key, entry);
}

export function newRecord() {
	const zero = document.getElementById('new')?.dataset.zero;
	if (!mayWrite || !zero) return;
	const text = el('textarea', {value: JSON.stringify(JSON.parse(zero), null, 2), spellcheck: false, ariaLabel: 'the record as JSON'});
	const note = el('p', {className: 'note', textContent: 'A key that is generated stays as it is. Fields may be left out.'});
	const add = () => {
		if (parse(text.value) === undefined) { note.textContent = 'this is not JSON yet'; note.className = 'error'; return; }
		inserts.push(text.value);
		close();
		draw();
	};
	show(el('h2', {textContent: 'New record of ' + page.table}), text, note, el('div', {className: 'bar'},
		el('button', {className: 'main', id: 'add', textContent: 'Add to the edits', onclick: add}), el('button', {textContent: 'Cancel', onclick: close})));
	text.focus();
}

// lines returns the difference: what each edit makes of what there is.
function* lines() {
	for (const [key, e] of edits) {
		const name = page.table + ' ' + key + ' ';
		if (!rowsOf(key).length) yield el('li', {className: 'clash'}, name, 'is not on this page any more');
		if (e.delete) yield el('li', {}, name, el('del', {textContent: 'deleted'}));
		else for (const [field, json] of Object.entries(e.set)) {
			const li = el('li', {}, name + field + ': ', el('del', {textContent: e.old[field]}), ' → ', el('ins', {textContent: json}));
			if (field in e.was) {
				li.className = 'clash';
				li.append(' changed by another since you saw ', el('del', {textContent: e.was[field]}));
			}
			yield li;
		}
	}
	for (const json of inserts) yield el('li', {}, page.table + ' ', el('ins', {textContent: JSON.stringify(parse(json))}));
}

// draw shows the edits, and what a commit of them has met with.
export function draw(trouble, stale) {
	panel.hidden = !pending();
	const n = pending();
	const bar = el('div', {className: 'bar'},
		el('button', {className: 'main', id: 'commit', textContent: 'Commit ' + n + (n === 1 ? ' record' : ' records'), onclick: commit}),
		el('button', {id: 'discard', textContent: 'Discard', onclick: () => { forget(); delete document.body.dataset.ready; location.reload(); }}));
	if (stale) bar.append(el('button', {id: 'again', textContent: 'Show what is there now', onclick: again}));
	bar.append(el('span', {className: 'note', id: 'outcome', role: 'alert', textContent: trouble ?? ''}));
	panel.replaceChildren(...(n ? [el('ol', {}, ...lines()), bar] : []));
}

function forget() {
	edits.clear();
	inserts.length = 0;
	draw();
}

// again shows the page as it is now, with the edits on it: those of values that
// have changed meanwhile say so.
async function again() {
	await reload();
	for (const [key, e] of edits) {
		for (const tr of rowsOf(key)) {
			tr.classList.toggle('gone', Boolean(e.delete));
			for (const td of tr.querySelectorAll('td[data-field]')) putBack(td, e);
		}
	}
	draw();
}

// putBack shows an edit in the cell that it is of.
function putBack(td, e) {
	const field = td.dataset.field;
	if (!(field in e.set)) return;
	if (td.dataset.json !== e.old[field]) [e.was[field], e.old[field]] = [e.old[field], td.dataset.json];
	mark(td, e.set[field]);
}

// body returns the commit as JSON. Values are put in as they were written, so
// that no number loses a digit.
function body() {
	const table = JSON.stringify(page.table);
	const list = [];
	for (const [key, e] of edits) {
		const of = '{"table":' + table + ',"key":' + JSON.stringify(key);
		if (e.delete) list.push(of + ',"delete":true}');
		else list.push(of + ',"set":{' + Object.entries(e.set).map(([f, json]) => JSON.stringify(f) + ':' + json).join(',') + '}}');
	}
	for (const json of inserts) list.push('{"table":' + table + ',"insert":' + json + '}');
	return '{"version":' + JSON.stringify(page.version) + ',"edits":[' + list.join(',') + ']}';
}

let committing = false;

export async function commit() {
	if (committing) return;
	committing = true;
	stopWatch(); // which would tell of this commit
	try {
		const answer = await fetch(page.base + '/commit', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: body()});
		if (!answer.ok) return refused(answer.status, (await answer.json()).error);
		const gone = [...edits.values()].some(e => e.delete) && !document.getElementById('filter');
		forget();
		if (gone) location.href = page.base + '/t/' + encodeURIComponent(page.table);
		else await reload();
		say('committed');
	} catch (e) {
		refused(0, String(e));
	} finally {
		committing = false;
	}
}

// refused shows why a commit was not made. Of one that met with a change there is
// no more to watch for than what it says.
function refused(status, trouble) {
	draw(trouble, status === 409);
	if (status !== 409) startWatch();
}

export function startEdits() {
	const main = document.getElementById('main');
	addEventListener('beforeunload', e => { if (pending()) e.preventDefault(); });
	main.addEventListener('dblclick', e => edit(e.target.closest('td')));
	main.addEventListener('click', e => {
		if (e.target.closest('#new')) newRecord();
		const del = e.target.closest('#delete');
		if (del) remove(del.dataset.key);
		if (e.target.matches('td[data-field]')) e.target.focus();
	});
}
