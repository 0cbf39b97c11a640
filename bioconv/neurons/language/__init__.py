"""What a neuron model is: equations as text, and what is derived from them."""
