// The watch on what the page shows: it is shown anew when it would differ.

import {page, main, say, cells} from './page.js';
import {pending, editing, draw} from './edits.js';
import {place, focusCell} from './keys.js';
import {startCompletion} from './complete.js';

const pause = 300; // milliseconds between two times that a page is shown

let watch, waiting, reloads = 0, shownAt = 0;

export function startWatch() {
	stopWatch();
	if (!page.version || document.hidden) return;
	watch = new EventSource(page.base + '/live?version=' + encodeURIComponent(page.version));
	watch.addEventListener('changed', () => {
		watch.close();
		wait(Math.max(0, shownAt + pause - Date.now()));
	});
}

// stopWatch ends the watch, and what it has seen and not shown: a commit shows
// the page itself.
export function stopWatch() {
	watch?.close();
	clearTimeout(waiting);
}

function wait(milliseconds) { waiting = setTimeout(changed, milliseconds); }

async function changed() {
	if (editing()) wait(pause); // what is typed comes first
	else if (pending()) draw('the page has changed: a commit will be refused', true);
	else if (await reload(() => !editing() && !pending())) say('updated ' + new Date().toLocaleTimeString());
}

// reload puts what the page shows now in place of what it showed, and reports
// whether it did: not where a later call overtook it, and where it may not any
// more by the time the page has come, it looks again.
export async function reload(may = () => true) {
	const turn = ++reloads;
	const answer = await fetch(location.href, {headers: {Accept: 'text/html'}});
	const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
	if (turn !== reloads) return false;
	if (!may()) { wait(pause); return false; }
	const [y, x] = place();
	const scrolled = document.querySelector('.scroll');
	const [left, top] = [scrolled?.scrollLeft ?? 0, scrolled?.scrollTop ?? 0];
	const closed = [...main.querySelectorAll('details:not([open]) > summary')].map(s => s.textContent);
	if (document.activeElement?.matches('#filter input')) replaceBelow(next);
	else {
		main.replaceChildren(...next.getElementById('main').childNodes);
		startCompletion();
	}
	for (const summary of main.querySelectorAll('summary')) summary.parentNode.open = !closed.includes(summary.textContent);
	document.querySelector('.scroll')?.scrollTo(left, top);
	page.version = next.body.dataset.version;
	const grid = cells();
	if (y >= 0) focusCell(y, x);
	else if (grid.length) grid[0][Math.min(1, grid[0].length - 1)].tabIndex = 0;
	shownAt = Date.now();
	startWatch();
	return true;
}

// replaceBelow replaces all but the filter, in which somebody types.
function replaceBelow(next) {
	const form = document.getElementById('filter');
	const below = next.getElementById('filter');
	while (form.nextSibling) form.nextSibling.remove();
	while (below?.nextSibling) form.parentNode.append(below.nextSibling);
}

// startLive watches while the page can be seen: a browser opens only a few
// connections to a host.
export function startLive() {
	document.addEventListener('visibilitychange', startWatch);
	addEventListener('pagehide', () => watch?.close());
	startWatch();
}
