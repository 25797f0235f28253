// Each event has all the rows that the board shows.
const board = document.getElementById('board');
const state = document.getElementById('state');

const row = flight => {
	const tr = document.createElement('tr');
	for (const text of [flight.Number, flight.To, flight.Departs.slice(11, 16), flight.Delay])
		tr.append(Object.assign(document.createElement('td'), {textContent: text}));
	return tr;
};

const events = new EventSource('late');
events.onmessage = event => {
	board.replaceChildren(...JSON.parse(event.data).map(row));
	state.textContent = 'as of ' + new Date().toLocaleTimeString();
};
events.onerror = () => { state.textContent = 'not connected: what stands here is old'; };
document.body.dataset.ready = '';
