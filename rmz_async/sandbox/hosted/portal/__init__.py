"""The billing portal: customers look after their subscriptions."""
