// A preview of the record that a link leads to, while the pointer or the focus
// rests on it.

import {el, main} from './page.js';

const rest = 350; // milliseconds
const most = 10; // fields

const box = el('div', {id: 'preview', hidden: true, role: 'tooltip'});
let timer, over;

async function open(link) {
	const answer = await fetch(link.pathname + '.json');
	if (!answer.ok || over !== link) return;
	const {record} = await answer.json();
	const list = el('dl');
	for (const [field, value] of Object.entries(record).slice(0, most)) {
		const text = typeof value === 'string' ? value : JSON.stringify(value);
		list.append(el('dt', {textContent: field}), el('dd', {textContent: text.length > 80 ? text.slice(0, 80) + '…' : text}));
	}
	box.replaceChildren(list);
	box.hidden = false;
	const at = link.getBoundingClientRect();
	box.style.left = Math.max(4, Math.min(at.left, innerWidth - box.offsetWidth - 8)) + 'px';
	box.style.top = (at.bottom + box.offsetHeight + 8 < innerHeight ? at.bottom + 4 : Math.max(4, at.top - box.offsetHeight - 4)) + 'px';
}

function enter(event) {
	const link = event.target.closest?.('a[data-ref]') ?? event.target.querySelector?.(':scope > a[data-ref]');
	if (link === over) return;
	leave();
	if (!link) return;
	over = link;
	timer = setTimeout(open, rest, link);
}

function leave() {
	clearTimeout(timer);
	over = undefined;
	box.hidden = true;
}

export function startPreview() {
	document.body.append(box);
	main.addEventListener('mouseover', enter);
	main.addEventListener('focusin', enter);
	main.addEventListener('mouseleave', leave);
	main.addEventListener('focusout', leave);
	document.addEventListener('keydown', e => { if (e.key === 'Escape') leave(); });
	document.addEventListener('scroll', () => { box.hidden = true; }, {capture: true, passive: true});
}
