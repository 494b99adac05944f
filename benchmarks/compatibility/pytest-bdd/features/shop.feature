Feature: A shop
  Scenario: Buying bread
    Given a basket
    When I add a thing for 3
    Then the total is 3

  Scenario Outline: Buying two things
    Given a basket
    When I add a thing for <first>
    And I add a thing for <second>
    Then the total is <total>

    Examples:
      | first | second | total |
      | 1     | 2      | 3     |
      | 4     | 5      | 9     |

  Scenario: Buying nothing
    Given a basket
    Then the total is 0
