"""The pages that RMZ hosts and a customer sees."""
