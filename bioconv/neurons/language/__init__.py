"""Language of neuron models: equations as text, and the parts derived from them."""
