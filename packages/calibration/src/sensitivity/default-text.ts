/**
 * A page of our own on many things, for measuring a model's activations when the caller has no text to give. Documents
 * are separated as in calibration files.
 */
export const DEFAULT_TEXT = `A river begins as a thin line of water between stones. Rain falls on the hills, sinks into the moss and comes out again \
lower down, cold and clear. By the time it reaches the valley it is wide enough to carry a boat. People have always \
built their towns beside rivers, because water moves mills, feeds fields and takes goods to the sea. In 1850 there were \
three bridges here; today there are eleven, and the newest one has no road at all, only a path for walkers and bicycles.
<|endoftext|>
"Have you seen my glasses?" asked the old man.
"They are on your nose," said his granddaughter, and both of them laughed until the dog began to bark. "Where would I be \
without you?" he said. She thought for a moment. "In the kitchen, I suppose, looking under the bread."
<|endoftext|>
To make a simple soup for four persons, cut two onions, three carrots and a stick of celery into small pieces. Heat two \
spoons of oil in a large pot, add the vegetables and stir for five minutes. Pour in 1.5 litres of water, add 200 g of red \
lentils, a little salt and one bay leaf, and let it cook slowly for half an hour. Taste it before you serve it: it may need \
lemon juice or pepper.
<|endoftext|>
def mean(values):
    """Return the arithmetic mean of a list of numbers."""
    if not values:
        raise ValueError("mean of an empty list")
    return sum(values) / len(values)

for name, scores in {"Ada": [7, 9, 8], "Ben": [10, 6]}.items():
    print(f"{name}: {mean(scores):.2f}")
<|endoftext|>
The speed of light in vacuum is exactly 299,792,458 metres per second, because the metre is defined by it. Light from the \
Sun needs about eight minutes and twenty seconds to reach the Earth, and a little more than four hours to reach Neptune. \
When we look at the nearest large galaxy, Andromeda, we see it as it was two and a half million years ago. Telescopes are \
therefore machines that look into the past.
<|endoftext|>
Question: A train leaves at 9:40 and arrives at 13:05. It stops three times for four minutes each. How long does it move?
Answer: From 9:40 to 13:05 are 3 hours and 25 minutes, which is 205 minutes. The stops take 3 x 4 = 12 minutes. So the train \
moves for 205 - 12 = 193 minutes, or 3 hours and 13 minutes.
<|endoftext|>
The committee met on Tuesday to discuss the budget for the coming year. Members agreed that the library should stay open on \
Saturdays, although the cost of heating has risen by nearly a fifth. A proposal to close the small branch in the north was \
rejected by nine votes to four. "We heard from more than two hundred residents," the chair said afterwards, "and not one of \
them asked us to save money on books." The council will publish the final figures in March.
<|endoftext|>
Once there was a young fox who believed that the moon was a cheese. Every night he climbed a little higher to reach it: \
first a stone, then a hill, then the tallest tree in the forest. From the top of the tree he saw the whole valley, silver and \
still, with a hundred small lights where people lived. He forgot about the cheese. When he came down in the morning he told \
the others that the world was bigger than he had thought, and much more beautiful, and that the moon was only its lamp.
<|endoftext|>
Dear Ms. Novak, thank you for your letter of 3 June. We are sorry that the parcel arrived damaged. A new one has been sent \
to you today free of charge; you do not need to return the first. If you have any further questions, please write to us or \
call between 8 a.m. and 5 p.m. Kind regards, the customer service team.
<|endoftext|>
Cells are the smallest units of life. Each of them is surrounded by a membrane that lets some substances in and keeps others \
out. Inside, proteins are made according to the instructions of the genes, which are written in DNA. A human body has some \
thirty trillion cells, and nearly every one of them carries the same text; what makes a nerve cell different from a muscle cell is \
which pages of it are read. Errors in copying are rare, but they happen, and without them there would be no evolution.
<|endoftext|>
User: Can you explain what a mortgage is in one or two sentences?
Assistant: A mortgage is a loan for buying a house in which the house itself is the security: if the borrower stops paying, the \
lender may sell it. The borrower pays back the sum with interest over many years, often twenty or thirty.`
