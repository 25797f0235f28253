// What every part of the front end uses: the page's own data, elements, messages.

export const page = document.body.dataset;
export const main = document.getElementById('main');
export const mayWrite = 'write' in page;

const dialog = document.getElementById('dialog');

// el makes an element. Texts are set as text, never as HTML.
export function el(name, props = {}, ...kids) {
	const e = Object.assign(document.createElement(name), props);
	e.append(...kids);
	return e;
}

// say shows a message in the head of the page.
export function say(text) { document.getElementById('state').textContent = text; }

// show opens the dialog with some content.
export function show(...content) {
	dialog.replaceChildren(...content);
	dialog.showModal();
}

export function close() { dialog.close(); }

export const isOpen = () => dialog.open;

// cells returns the cells of the grid, row by row.
export const cells = () => [...document.querySelectorAll('#grid tbody tr')].map(tr => [...tr.querySelectorAll('td')]);

// rowsOf returns the rows of a record: one of the grid, or all of its own page.
export const rowsOf = key => [...document.querySelectorAll('#grid tbody tr[data-key]')].filter(tr => tr.dataset.key === key);

// parse returns what JSON stands for, or undefined where it is none.
export function parse(json) {
	try { return JSON.parse(json); } catch { return undefined; }
}
