// The studio's pages work without this file, read-only: it adds keys, completion,
// edits and the watch on what the page shows.

const page = document.body.dataset;
const main = document.getElementById('main');
const state = document.getElementById('state');
const panel = document.getElementById('changes');
const dialog = document.getElementById('dialog');
const mayWrite = 'write' in page;

// edits are what the user has changed and not committed, by key and field.
const edits = new Map();
const inserts = [];

const el = (name, props = {}, ...kids) => {
	const e = Object.assign(document.createElement(name), props);
	e.append(...kids);
	return e;
};

// --- moving about ---

const cells = () => [...document.querySelectorAll('#grid tbody tr')].map(tr => [...tr.querySelectorAll('td')]);

function move(rows, cols) {
	const grid = cells();
	if (!grid.length) return;
	let y = grid.findIndex(r => r.includes(document.activeElement));
	let x = y < 0 ? -1 : grid[y].indexOf(document.activeElement);
	if (y < 0) [y, x] = [0, Math.min(1, grid[0].length - 1)];
	else [y, x] = [y + rows, x + cols];
	y = Math.max(0, Math.min(grid.length - 1, y));
	x = Math.max(0, Math.min(grid[y].length - 1, x));
	grid[y][x].tabIndex = -1;
	grid[y][x].focus();
	grid[y][x].scrollIntoView({block: 'nearest', inline: 'nearest'});
}

const follow = selector => document.querySelector(selector)?.click();

const keys = {
	j: () => move(1, 0), k: () => move(-1, 0), h: () => move(0, -1), l: () => move(0, 1),
	ArrowDown: () => move(1, 0), ArrowUp: () => move(-1, 0), ArrowLeft: () => move(0, -1), ArrowRight: () => move(0, 1),
	'/': () => document.getElementById('where')?.focus(),
	']': () => follow('a[rel=next]'), '[': () => follow('a[rel=prev]'),
	g: () => { location.href = page.base + '/'; },
	s: () => { location.href = page.base + '/schema'; },
	Enter: () => document.activeElement.querySelector('a')?.click(),
	o: () => { const url = document.activeElement.closest('tr')?.dataset.url; if (url) location.href = url; },
	e: () => edit(document.activeElement), F2: () => edit(document.activeElement),
	n: () => newRecord(),
	d: () => remove(document.activeElement.closest('tr')?.dataset.key),
	'?': () => help(),
};

document.addEventListener('keydown', event => {
	if ((event.ctrlKey || event.metaKey) && event.key === 's' && pending()) {
		event.preventDefault();
		commit();
		return;
	}
	const on = event.target;
	if (event.ctrlKey || event.metaKey || event.altKey || dialog.open || on.matches('input, textarea, select')) return;
	if (event.key === 'Enter' && !on.matches('td')) return;
	if (event.key.startsWith('Arrow') && !on.matches('td')) return;
	const act = keys[event.key];
	if (act) {
		event.preventDefault();
		act();
	}
});

function help() {
	const list = el('dl');
	for (const [key, what] of [
		['/', 'filter'], ['j k h l', 'move in the grid, as the arrows do'], ['Enter', 'follow the reference'], ['o', 'open the record'],
		['[ ]', 'previous and next page'], ['g', 'tables'], ['s', 'schema'],
		...(mayWrite ? [['e', 'edit the value'], ['n', 'new record'], ['d', 'delete the record'], ['Ctrl+S', 'commit the edits']] : []),
	]) list.append(el('dt', {}, el('kbd', {textContent: key})), el('dd', {textContent: what}));
	show(el('h2', {textContent: 'Keys'}), list, el('div', {className: 'bar'}, el('button', {textContent: 'Close', onclick: () => dialog.close()})));
}

function show(...content) {
	dialog.replaceChildren(...content);
	dialog.showModal();
}

document.getElementById('help').onclick = help;

// --- completion of the filter ---

const words = ['and', 'or', 'not', 'in', 'between', 'prefix', 'contains', 'is nil', 'true', 'false', 'any(', 'fold(', 'key()'];

function completion() {
	const input = document.getElementById('where');
	const list = document.getElementById('words');
	if (!input) return;
	const all = [...new Set(input.dataset.words.split(' ').filter(Boolean)), ...words];
	let at = -1;
	const word = () => /[\w.]*$/.exec(input.value.slice(0, input.selectionStart))[0];
	const close = () => { list.hidden = true; at = -1; input.setAttribute('aria-expanded', 'false'); };
	const take = text => {
		const end = input.selectionStart, begin = end - word().length;
		input.setRangeText(text + (text.endsWith('(') ? '' : ' '), begin, end, 'end');
		close();
		input.focus();
	};
	const open = () => {
		const typed = word().toLowerCase();
		const fit = typed ? all.filter(w => w.toLowerCase().startsWith(typed) && w.toLowerCase() !== typed) : [];
		if (!fit.length) return close();
		list.replaceChildren(...fit.slice(0, 12).map((w, i) => el('li', {
			textContent: w, role: 'option', id: 'word' + i, onmousedown: e => { e.preventDefault(); take(w); },
		})));
		list.hidden = false;
		at = -1;
		input.setAttribute('aria-expanded', 'true');
	};
	const choose = step => {
		const items = [...list.children];
		at = (at + step + items.length) % items.length;
		items.forEach((li, i) => li.setAttribute('aria-selected', String(i === at)));
		input.setAttribute('aria-activedescendant', 'word' + at);
		items[at].scrollIntoView({block: 'nearest'});
	};
	input.addEventListener('input', open);
	input.addEventListener('blur', close);
	input.addEventListener('keydown', e => {
		if (list.hidden) {
			if (e.key === 'Escape') input.blur();
			return;
		}
		if (e.key === 'ArrowDown') choose(1);
		else if (e.key === 'ArrowUp') choose(-1);
		else if (e.key === 'Tab' || e.key === 'Enter' && at >= 0) take(list.children[Math.max(at, 0)].textContent);
		else if (e.key === 'Escape') close();
		else return;
		e.preventDefault();
	});
}

// --- edits ---

const pending = () => edits.size + inserts.length;

// shown returns a value as it is edited: a text without its quotes.
function shown(json) {
	const v = parse(json);
	return typeof v === 'string' ? v : json;
}

function parse(json) {
	try { return JSON.parse(json); } catch { return undefined; }
}

function edit(td) {
	if (!mayWrite || !td?.matches?.('td[data-field]')) return;
	if ('fixed' in td.dataset) return say('the key of a record cannot be changed');
	if (!td.dataset.json) return say('this value is too long to be edited here');
	const key = td.closest('tr').dataset.key;
	const old = td.dataset.json;
	const isText = typeof parse(old) === 'string';
	const now = td.dataset.now ?? old;
	const before = [...td.childNodes];
	const input = el('input', {value: shown(now), ariaLabel: td.dataset.field});
	td.replaceChildren(input);
	input.focus();
	input.select();
	let over = false;
	const end = keep => {
		if (over) return;
		over = true;
		td.replaceChildren(...before);
		if (keep) {
			const json = isText ? JSON.stringify(input.value) : input.value.trim();
			if (!isText && !isJSON(json)) say(td.dataset.field + ' wants JSON, such as 5, true, "text" or null');
			else change(td, key, old, json);
		}
		td.focus();
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

function isJSON(text) {
	return parse(text) !== undefined;
}

function change(td, key, old, json) {
	const entry = edits.get(key) ?? {set: {}, old: {}};
	if (json === old) {
		delete entry.set[td.dataset.field];
		delete td.dataset.now;
	} else {
		entry.set[td.dataset.field] = json;
		entry.old[td.dataset.field] = old;
		td.dataset.now = json;
		td.textContent = shown(json);
	}
	td.classList.toggle('edited', json !== old);
	if (Object.keys(entry.set).length || entry.delete) edits.set(key, entry);
	else edits.delete(key);
	drawChanges();
}

function remove(key) {
	if (!mayWrite || !key) return;
	const entry = edits.get(key) ?? {set: {}, old: {}};
	entry.delete = !entry.delete;
	if (entry.delete || Object.keys(entry.set).length) edits.set(key, entry);
	else edits.delete(key);
	for (const tr of document.querySelectorAll('tr[data-key]')) if (tr.dataset.key === key) tr.classList.toggle('gone', entry.delete);
	drawChanges();
}

function newRecord() {
	const zero = document.getElementById('new')?.dataset.zero;
	if (!mayWrite || !zero) return;
	const text = el('textarea', {value: JSON.stringify(JSON.parse(zero), null, 2), spellcheck: false, ariaLabel: 'the record as JSON'});
	const note = el('p', {className: 'note', textContent: 'A key that is generated stays as it is. Fields may be left out.'});
	const add = () => {
		if (!isJSON(text.value)) { note.textContent = 'this is not JSON yet'; note.className = 'error'; return; }
		inserts.push(text.value);
		dialog.close();
		drawChanges();
	};
	show(el('h2', {textContent: 'New record of ' + page.table}), text, note, el('div', {className: 'bar'},
		el('button', {className: 'main', id: 'add', textContent: 'Add to the edits', onclick: add}), el('button', {textContent: 'Cancel', onclick: () => dialog.close()})));
	text.focus();
}

function drawChanges(error) {
	panel.hidden = !pending();
	if (!pending()) return panel.replaceChildren();
	const list = el('ol');
	for (const [key, e] of edits) {
		if (e.delete) list.append(el('li', {}, page.table + ' ' + key + ' ', el('del', {textContent: 'deleted'})));
		else for (const [field, json] of Object.entries(e.set))
			list.append(el('li', {}, page.table + ' ' + key + ' ' + field + ': ', el('del', {textContent: e.old[field]}), ' → ', el('ins', {textContent: json})));
	}
	for (const json of inserts) list.append(el('li', {}, page.table + ' ', el('ins', {textContent: JSON.stringify(JSON.parse(json))})));
	panel.replaceChildren(list, el('div', {className: 'bar'},
		el('button', {className: 'main', id: 'commit', textContent: 'Commit ' + pending() + (pending() === 1 ? ' record' : ' records'), onclick: commit}),
		el('button', {id: 'discard', textContent: 'Discard', onclick: () => { forget(); location.reload(); }}),
		el('span', {className: 'note', id: 'outcome', role: 'alert', textContent: error ?? ''})));
}

function forget() {
	edits.clear();
	inserts.length = 0;
	drawChanges();
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

async function commit() {
	if (committing) return;
	committing = true;
	try {
		const answer = await fetch(page.base + '/commit', {method: 'POST', headers: {'Content-Type': 'application/json'}, body: body()});
		if (answer.ok) {
			const gone = [...edits.values()].some(e => e.delete) && !document.getElementById('filter');
			forget();
			if (gone) location.href = page.base + '/t/' + encodeURIComponent(page.table);
			else await reload();
			say('committed');
			return;
		}
		drawChanges((await answer.json()).error);
	} catch (e) {
		drawChanges(String(e));
	} finally {
		committing = false;
	}
}

addEventListener('beforeunload', e => { if (pending()) e.preventDefault(); });

main.addEventListener('dblclick', e => edit(e.target.closest('td')));
main.addEventListener('click', e => {
	if (e.target.closest('#new')) newRecord();
	const del = e.target.closest('#delete');
	if (del) remove(del.dataset.key);
	if (e.target.matches('td[data-field]')) e.target.focus();
});

function say(text) { state.textContent = text; }

// --- the watch on what the page shows ---

let watch;

function live() {
	watch?.close();
	if (!page.version || document.hidden) return;
	watch = new EventSource(page.base + '/live?version=' + encodeURIComponent(page.version));
	watch.addEventListener('changed', () => {
		watch.close();
		if (pending()) say('the page has changed since: your edits will be refused');
		else reload().then(() => say('updated ' + new Date().toLocaleTimeString()));
	});
}

// reload puts what the page shows now in place of what it showed.
async function reload() {
	const answer = await fetch(location.href, {headers: {Accept: 'text/html'}});
	const doc = new DOMParser().parseFromString(await answer.text(), 'text/html');
	const grid = cells(), y = grid.findIndex(r => r.includes(document.activeElement));
	const x = y < 0 ? -1 : grid[y].indexOf(document.activeElement);
	const typing = document.activeElement?.matches('#filter input');
	if (typing) document.getElementById('grid')?.replaceWith(doc.getElementById('grid') ?? '');
	else main.replaceChildren(...doc.getElementById('main').childNodes);
	page.version = doc.body.dataset.version;
	if (!typing) completion();
	cells()[y]?.[x]?.focus();
	live();
}

// A hidden page has no watch: a browser opens only a few connections to a host.
document.addEventListener('visibilitychange', live);
addEventListener('pagehide', () => watch?.close());

completion();
live();
