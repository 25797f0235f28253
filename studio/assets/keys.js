// The keys: moving about in the grid, and what each key does.

import {page, mayWrite, el, show, close, isOpen, cells} from './page.js';
import {edit, newRecord, remove, commit, pending} from './edits.js';

// place returns the row and the column of the cell that has the focus, or -1.
export function place() {
	const grid = cells();
	const y = grid.findIndex(row => row.includes(document.activeElement));
	return [y, y < 0 ? -1 : grid[y].indexOf(document.activeElement)];
}

// focusCell puts the focus on a cell, which Tab then leads to as well.
export function focusCell(y, x) {
	const grid = cells();
	if (!grid.length || y < 0) return;
	y = Math.min(grid.length - 1, y);
	x = Math.max(0, Math.min(grid[y].length - 1, x));
	for (const td of document.querySelectorAll('#grid td[tabindex="0"]')) td.tabIndex = -1;
	grid[y][x].tabIndex = 0;
	grid[y][x].focus();
	grid[y][x].scrollIntoView({block: 'nearest', inline: 'nearest'});
}

export function move(rows, cols) {
	const [y, x] = place();
	if (y < 0) focusCell(0, cells()[0]?.length > 1 ? 1 : 0);
	else focusCell(Math.max(0, y + rows), x + cols);
}

const follow = selector => document.querySelector(selector)?.click();

const row = () => document.activeElement.closest('tr')?.dataset ?? {};

const keys = {
	j: () => move(1, 0), k: () => move(-1, 0), h: () => move(0, -1), l: () => move(0, 1),
	ArrowDown: () => move(1, 0), ArrowUp: () => move(-1, 0), ArrowLeft: () => move(0, -1), ArrowRight: () => move(0, 1),
	'/': () => {
		const where = document.getElementById('where');
		where?.focus();
		where?.setSelectionRange(where.value.length, where.value.length);
	},
	']': () => follow('a[rel=next]'), '[': () => follow('a[rel=prev]'),
	g: () => { location.href = page.base + '/'; },
	s: () => { location.href = page.base + '/schema'; },
	Enter: () => document.activeElement.querySelector('a')?.click(),
	o: () => { if (row().url) location.href = row().url; },
	e: () => edit(document.activeElement), F2: () => edit(document.activeElement),
	n: () => newRecord(),
	d: () => remove(row().key),
	'?': () => help(),
};

function onKey(event) {
	if ((event.ctrlKey || event.metaKey) && event.key === 's' && pending()) {
		event.preventDefault();
		commit();
		return;
	}
	const on = event.target;
	if (event.ctrlKey || event.metaKey || event.altKey || isOpen() || on.matches('input, textarea, select')) return;
	if ((event.key === 'Enter' || event.key.startsWith('Arrow')) && !on.matches('td')) return;
	const act = keys[event.key];
	if (act) {
		event.preventDefault();
		act();
	}
}

const forReaders = [
	['/', 'filter'], ['j k h l', 'move in the grid, as the arrows do'], ['Enter', 'follow the reference'], ['o', 'open the record'],
	['[ ]', 'previous and next page'], ['g', 'tables'], ['s', 'schema'],
];
const forWriters = [['e', 'edit the value'], ['n', 'new record'], ['d', 'delete the record'], ['Ctrl+S', 'commit the edits']];

function help() {
	const list = el('dl');
	for (const [key, what] of [...forReaders, ...(mayWrite ? forWriters : [])])
		list.append(el('dt', {}, el('kbd', {textContent: key})), el('dd', {textContent: what}));
	show(el('h2', {textContent: 'Keys'}), list, el('div', {className: 'bar'}, el('button', {textContent: 'Close', onclick: close})));
}

export function startKeys() {
	document.addEventListener('keydown', onKey);
	document.getElementById('help').onclick = help;
	const first = cells()[0];
	if (first) first[Math.min(1, first.length - 1)].tabIndex = 0;
}
