// Completion of the filter: fields, the words of the language, and after an
// operator the values that the facets have.

import {el} from './page.js';

const words = ['and', 'or', 'not', 'in', 'between', 'prefix', 'contains', 'is nil', 'true', 'false', 'any(', 'fold(', 'key()'];

// typedIn returns the word before the caret, with the quote that it begins with.
function typedIn(before) {
	let quote = '', from = 0;
	for (let i = 0; i < before.length; i++) {
		if (quote === '' && (before[i] === "'" || before[i] === '"')) [quote, from] = [before[i], i];
		else if (before[i] === quote) quote = '';
	}
	return quote ? before.slice(from) : /[\w.]*$/.exec(before)[0];
}

// valuesOf returns the values that facets show of a field.
function valuesOf(field) {
	for (const facet of document.querySelectorAll('.facet'))
		if (facet.dataset.field === field) return [...facet.querySelectorAll('a')].map(a => a.textContent).filter(text => !text.endsWith('…'));
	return [];
}

// fitting returns what may stand for the word before the caret.
function fitting(input) {
	const before = input.value.slice(0, input.selectionStart);
	const word = typedIn(before), lead = before.slice(0, before.length - word.length);
	const compared = /([\w.]+)\s*(?:=|!=|<=?|>=?)\s*$/.exec(lead);
	const all = compared ? valuesOf(compared[1]) : word ? [...new Set([...input.dataset.words.split(' ').filter(Boolean), ...words])] : [];
	const typed = word.replace(/^["']/, '').toLowerCase();
	const plain = w => w.replace(/^["']/, '').toLowerCase();
	return {word, fit: all.filter(w => plain(w).startsWith(typed) && w.toLowerCase() !== word.toLowerCase()).slice(0, 12)};
}

export function startCompletion() {
	const input = document.getElementById('where');
	const list = document.getElementById('words');
	if (!input) return;
	let at = -1;
	const close = () => { list.hidden = true; at = -1; input.setAttribute('aria-expanded', 'false'); input.removeAttribute('aria-activedescendant'); };
	const take = text => {
		const end = input.selectionStart, begin = end - fitting(input).word.length;
		input.setRangeText(text + (text.endsWith('(') ? '' : ' '), begin, end, 'end');
		close();
		input.focus();
	};
	const open = () => {
		const {fit} = fitting(input);
		if (!fit.length) return close();
		list.replaceChildren(...fit.map((w, i) => el('li', {
			textContent: w, role: 'option', id: 'word' + i, onmousedown: e => { e.preventDefault(); take(w); },
		})));
		list.hidden = false;
		at = -1;
		input.setAttribute('aria-expanded', 'true');
	};
	const choose = step => {
		const items = [...list.children];
		at = (Math.max(at, step < 0 ? 0 : -1) + step + items.length) % items.length;
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
